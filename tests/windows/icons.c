/* Prints, of each executable that is named, the icons of 16, 32 and 256 pixels as Windows finds and
 * decodes them: width, height, and the colour of a pixel in the middle. */
#include <stdio.h>
#include <windows.h>

static int show(HMODULE module, PBYTE group, int size) {
    int id = LookupIconIdFromDirectoryEx(group, TRUE, size, size, LR_DEFAULTCOLOR);
    HRSRC found = FindResourceA(module, MAKEINTRESOURCEA(id), (LPCSTR)RT_ICON);
    if (!found) return 0;
    PBYTE bytes = LockResource(LoadResource(module, found));
    DWORD length = SizeofResource(module, found);
    HICON icon = CreateIconFromResourceEx(bytes, length, TRUE, 0x30000, 0, 0, LR_DEFAULTCOLOR);
    ICONINFO info;
    BITMAP bitmap;
    if (!icon || !GetIconInfo(icon, &info)) return 0;
    if (!GetObjectA(info.hbmColor, sizeof bitmap, &bitmap)) return 0;
    HDC context = CreateCompatibleDC(NULL);
    SelectObject(context, info.hbmColor);
    COLORREF color = GetPixel(context, bitmap.bmWidth / 2, bitmap.bmHeight / 2);
    printf("%dx%d %02x%02x%02x\n", (int)bitmap.bmWidth, (int)bitmap.bmHeight, GetRValue(color),
           GetGValue(color), GetBValue(color));
    return 1;
}

int main(int count, char **names) {
    static const int sizes[] = {16, 32, 256};
    for (int i = 1; i < count; i++) {
        HMODULE module = LoadLibraryExA(names[i], NULL, LOAD_LIBRARY_AS_DATAFILE);
        HRSRC found = FindResourceA(module, MAKEINTRESOURCEA(1), (LPCSTR)RT_GROUP_ICON);
        if (!module || !found) {
            printf("%s: no icon\n", names[i]);
            return 1;
        }
        PBYTE group = LockResource(LoadResource(module, found));
        for (int j = 0; j < 3; j++) {
            if (!show(module, group, sizes[j])) {
                printf("%s: no icon of %d pixels\n", names[i], sizes[j]);
                return 1;
            }
        }
    }
    return 0;
}
