//! Guest memory: the one place where a program's pointers are checked and followed.
//!
//! A pointer whose range does not lie inside the memory gives `FAULT` and nothing is touched.
//! Any alignment is accepted. Numbers are little-endian.

use crate::errno::Errno;
use crate::memory::{self, within};
use crate::scratch::Scratch;
use crate::sys::Result;
use crate::sys::types::Buffer;
use kiln_abi::program::Memory;

/// Buffers of one call that need no memory of their own.
const FEW_BUFFERS: usize = 32;

/// Buffers that one call uses at most; what is beyond is read or written by the next call, as
/// POSIX does it (`IOV_MAX`).
const MOST_BUFFERS: u32 = 1024;

/// Bytes of a `ciovec` or `iovec`.
const IOVEC: usize = 8;

/// The memory that a call's pointers point into.
#[derive(Debug, Clone, Copy)]
pub struct Guest {
    base: *mut u8,
    length: u64,
}

impl Guest {
    /// The memory as it is now; it does not shrink.
    ///
    /// # Safety
    /// `memory` is one of the program's memories, and nothing in Rust refers to its contents.
    pub unsafe fn new(memory: *const Memory) -> Self {
        // SAFETY: as the caller says.
        unsafe { Self { base: (*memory).base, length: memory::length(memory) } }
    }

    /// Where `length` bytes at a guest pointer lie.
    fn address(&self, pointer: u32, length: usize) -> Result<*mut u8> {
        if within(pointer.into(), length as u64, self.length) {
            // SAFETY: the range lies inside the memory.
            Ok(unsafe { self.base.add(pointer as usize) })
        } else {
            Err(Errno::FAULT)
        }
    }

    /// A range as a buffer for the OS.
    pub fn buffer(&self, pointer: u32, length: u32) -> Result<Buffer<'_>> {
        let address = self.address(pointer, length as usize)?;
        // SAFETY: the range lies inside the memory, which outlives every call.
        Ok(unsafe { Buffer::new(address, length as usize) })
    }

    /// Checks that a result of that length can be written. What has an effect on the host does so
    /// first: a call that gives `FAULT` has none.
    pub fn check_result(&self, pointer: u32, length: u32) -> Result<()> {
        self.address(pointer, length as usize).map(|_| ())
    }

    /// Lets `call` read into or write from the `count` buffers that an array of `iovec` names, and
    /// writes how many bytes it moved.
    pub fn transfer(
        &self,
        array: u32,
        count: u32,
        moved: u32,
        call: impl FnOnce(&[Buffer<'_>]) -> Result<usize>,
    ) -> Result<()> {
        self.check_result(moved, 4)?;
        let bytes = if count == 1 {
            call(&[self.listed_buffer(array)?])?
        } else {
            call(self.listed_buffers(array, count)?.values())?
        };
        self.write_u32(moved, bytes as u32)
    }

    /// The buffer that an `iovec` names.
    fn listed_buffer(&self, pointer: u32) -> Result<Buffer<'_>> {
        let record = u64::from_le_bytes(self.read(pointer)?);
        self.buffer(record as u32, (record >> 32) as u32)
    }

    /// The buffers that an array of `iovec` names.
    fn listed_buffers(&self, array: u32, count: u32) -> Result<Scratch<Buffer<'_>, FEW_BUFFERS>> {
        let count = count.min(MOST_BUFFERS);
        self.address(array, count as usize * IOVEC)?;
        let mut buffers = Scratch::new(count as usize)?;
        for index in 0..count {
            buffers.push(self.listed_buffer(array + index * IOVEC as u32)?);
        }
        Ok(buffers)
    }

    /// Reads bytes.
    pub fn read<const N: usize>(&self, pointer: u32) -> Result<[u8; N]> {
        let address = self.address(pointer, N)?;
        // SAFETY: the range lies inside the memory.
        Ok(unsafe { address.cast::<[u8; N]>().read() })
    }

    /// Reads as many bytes as `to` holds.
    pub fn read_into(&self, pointer: u32, to: &mut [u8]) -> Result<()> {
        let address = self.address(pointer, to.len())?;
        // SAFETY: the range lies inside the memory, of which `to` is no part.
        unsafe { core::ptr::copy_nonoverlapping(address, to.as_mut_ptr(), to.len()) };
        Ok(())
    }

    /// Reads a number.
    pub fn read_u32(&self, pointer: u32) -> Result<u32> {
        self.read(pointer).map(u32::from_le_bytes)
    }

    /// Writes bytes.
    pub fn write(&self, pointer: u32, bytes: &[u8]) -> Result<()> {
        let address = self.address(pointer, bytes.len())?;
        // SAFETY: the range lies inside the memory, of which `bytes` is no part.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), address, bytes.len()) };
        Ok(())
    }

    /// Writes a number.
    pub fn write_u32(&self, pointer: u32, number: u32) -> Result<()> {
        self.write(pointer, &number.to_le_bytes())
    }

    /// Writes a number.
    pub fn write_u64(&self, pointer: u32, number: u64) -> Result<()> {
        self.write(pointer, &number.to_le_bytes())
    }
}

/// Defines functions that compiled code calls. Each is given the guest's memory and the import's
/// parameters; its `Result<()>` becomes the `errno`.
macro_rules! functions {
    ($($(#[$doc:meta])* fn $name:ident($guest:ident $(, $parameter:ident: $type:ty)* $(,)?) $body:block)*) => {$(
        $crate::sys::arch::compiled_calls! {
            $(#[$doc])*
            ///
            /// # Safety
            /// `memory` is one of the program's memories.
            #[unsafe(export_name = concat!("kiln_wasi_", stringify!($name)))]
            pub unsafe fn $name(
                memory: *mut kiln_abi::program::Memory,
                $($parameter: $type),*
            ) -> u32 {
                // SAFETY: as the caller says; no reference into the memory outlives a statement.
                let $guest = unsafe { $crate::wasi::guest::Guest::new(memory) };
                #[allow(clippy::redundant_closure_call, reason = "`?` leaves the closure")]
                let result: $crate::sys::Result<()> = (|| $body)();
                let errno = match result {
                    Ok(()) => 0,
                    Err(errno) => errno as u32,
                };
                const NAME: &str = stringify!($name);
                const IS_AUDITED: bool = $crate::wasi::audit::concerns(NAME);
                if IS_AUDITED {
                    let operands = [$($parameter as u64),*];
                    // SAFETY: as the caller says.
                    unsafe { $crate::wasi::audit::call(memory, NAME, &operands, errno) };
                }
                errno
            }
        }
    )*};
}
pub(crate) use functions;
