//! The folded `try` of the legacy exceptions, unfolded.
//!
//! `(try (do …) (catch $e …) (delegate $l))` becomes `try … catch $e … delegate $l`, which is all
//! that today's parser knows. Everything else stays, and every character in its line.
//!
//! Source: legacy "Exception handling" proposal, "Text format".

/// What an open parenthesis belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// A `try`; whether it ends with `delegate` rather than with `end`.
    Try {
        delegates: bool,
    },
    /// A part of a `try`.
    Part,
    Other,
}

/// Unfolds every `try` in a script.
pub(super) fn unfold(text: &str) -> String {
    let mut unfolded = String::with_capacity(text.len() + text.len() / 8);
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = token(rest);
        let (token, after) = rest.split_at(length);
        rest = after;
        match first {
            '(' if token == "(" => {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                let keyword = &rest[..end.unwrap_or(rest.len())];
                let kind = kind(keyword, open.last_mut());
                unfolded.push(if kind == Open::Other { '(' } else { ' ' });
                if keyword == "do" && kind == Open::Part {
                    rest = &rest[keyword.len()..];
                }
                open.push(kind);
            }
            ')' => unfolded.push_str(match open.pop() {
                Some(Open::Try { delegates: false }) => " end ",
                Some(Open::Try { delegates: true } | Open::Part) => " ",
                Some(Open::Other) | None => ")",
            }),
            _ => unfolded.push_str(token),
        }
    }
    unfolded
}

/// What a parenthesis before `keyword` opens inside of `parent`.
fn kind(keyword: &str, parent: Option<&mut Open>) -> Open {
    match (keyword, parent) {
        ("try", _) => Open::Try { delegates: false },
        ("do" | "catch" | "catch_all", Some(Open::Try { .. })) => Open::Part,
        ("delegate", Some(parent @ Open::Try { .. })) => {
            *parent = Open::Try { delegates: true };
            Open::Part
        }
        _ => Open::Other,
    }
}

/// Bytes of the string or comment that `text` begins with; else of one character.
fn token(text: &str) -> usize {
    if text.starts_with(";;") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("(;") {
        return text.find(";)").map_or(text.len(), |end| end + 2);
    }
    let mut characters = text.char_indices();
    if characters.next().is_some_and(|(_, first)| first == '"') {
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => _ = characters.next(),
                '"' => return at + 1,
                _ => {}
            }
        }
        return text.len();
    }
    characters.next().map_or(text.len(), |(second, _)| second)
}

#[cfg(test)]
mod tests {
    use super::unfold;

    #[test]
    fn only_folded_tries_change() {
        for (folded, unfolded) in [
            ("(try (do (nop)) (catch $e (drop)))", " try   (nop)   catch $e (drop)  end "),
            ("(try $t (do) (delegate 0))", " try $t     delegate 0  "),
            ("(try_table (catch $e 0) (nop))", "(try_table (catch $e 0) (nop))"),
            ("\"(try\" ;; (try", "\"(try\" ;; (try"),
            ("(; (try ;)(a)", "(; (try ;)(a)"),
        ] {
            assert_eq!(unfold(folded), unfolded);
        }
    }
}
