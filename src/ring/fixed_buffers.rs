//! The ring's table of buffers. The kernel has their pages for as long as they are there; their
//! addresses stay theirs as long, or another buffer's would be taken for them.

use super::Ring;
use super::region::Region;
use super::registered::op;
use crate::sys;
use std::ptr::null;

/// What a slot of the table gets.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Entry {
    /// Nothing, for an empty slot.
    pub region: Option<Region>,
    /// The bytes.
    pub iovec: sys::iovec,
}

/// The regions that the kernel has, each counted once, by their slots.
pub struct FixedBuffers(Vec<Option<Region>>);

impl FixedBuffers {
    /// No table.
    pub fn new() -> FixedBuffers {
        FixedBuffers(Vec::new())
    }

    fn clear(&mut self) {
        for region in self.0.drain(..).flatten() {
            // SAFETY: counted when it was put here. What an action uses, it counts itself.
            unsafe { region.release() }
        }
    }
}

impl Drop for FixedBuffers {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The kernel's struct io_uring_rsrc_update2.
#[repr(C)]
struct Update {
    offset: u32,
    resv: u32,
    iovecs: u64,
    tags: u64,
    count: u32,
    resv2: u32,
}

impl Ring {
    /// Gives the ring a table of buffers: 0 or `-errno`. The iovecs are those of the entries.
    pub fn register_buffers(&mut self, entries: &[Entry], iovecs: &[sys::iovec]) -> i32 {
        let mut regions = Vec::new();
        if regions.try_reserve_exact(entries.len()).is_err() {
            return -(sys::ENOMEM as i32);
        }
        // SAFETY: the kernel reads the iovecs, and has the pages that they lead to.
        let done = unsafe { self.register(op::BUFFERS, iovecs.as_ptr().cast(), iovecs.len() as u32) };
        if done == 0 {
            entries.iter().for_each(|entry| entry.region.into_iter().for_each(Region::keep));
            regions.extend(entries.iter().map(|entry| entry.region));
            self.fixed_buffers = FixedBuffers(regions);
        }
        done
    }

    /// Puts others into slots from `offset` on: how many were done, or `-errno`.
    pub fn update_buffers(&mut self, offset: u32, entries: &[Entry], iovecs: &[sys::iovec]) -> i32 {
        let (address, count) = (iovecs.as_ptr() as u64, iovecs.len() as u32);
        let update = Update { offset, resv: 0, iovecs: address, tags: 0, count, resv2: 0 };
        let size = size_of::<Update>() as u32;
        // SAFETY: as above.
        let done = unsafe { self.register(op::BUFFERS_UPDATE, (&raw const update).cast(), size) };
        let slots = self.fixed_buffers.0.iter_mut().skip(offset as usize);
        for (slot, entry) in slots.zip(entries).take(done.max(0) as usize) {
            entry.region.into_iter().for_each(Region::keep);
            if let Some(region) = std::mem::replace(slot, entry.region) {
                // SAFETY: counted when it was put here.
                unsafe { region.release() }
            }
        }
        done
    }

    /// Takes the table away.
    pub fn unregister_buffers(&mut self) -> i32 {
        // SAFETY: it takes no memory.
        let done = unsafe { self.register(op::NO_BUFFERS, null(), 0) };
        if done == 0 {
            self.fixed_buffers.clear();
        }
        done
    }
}
