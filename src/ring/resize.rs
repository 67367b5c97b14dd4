//! How a ring gets queues of another size.

use super::queues::Queues;
use super::{Ring, pages, registered};
use crate::sys::{self, flag};
use std::mem::zeroed;
use std::sync::atomic::Ordering;

impl Ring {
    /// Gives the ring queues of another size: 0 or `-errno`. What was queued and what is there
    /// moves along, and keeps its place in the order.
    pub fn resize(&mut self, entries: u32, cq_entries: Option<u32>) -> i32 {
        if self.queues.kernel_thread {
            return -(sys::EINVAL as i32); // which the kernel says too, once it has taken what is queued
        }
        if self.has_array() && LINE.is_none() {
            return -(sys::EOPNOTSUPP as i32);
        }
        // Once the kernel has new queues the old ones are dead: so room for the new ones is had first.
        let room = self.room(entries, cq_entries);
        let reserved = pages::reserve(room);
        if reserved.is_null() {
            return -(sys::ENOMEM as i32);
        }
        // SAFETY: a struct of numbers may be all zeros.
        let mut params: sys::io_uring_params = unsafe { zeroed() };
        params.sq_entries = entries;
        params.cq_entries = cq_entries.unwrap_or(0);
        params.flags = if cq_entries.is_some() { sys::IORING_SETUP_CQSIZE } else { 0 };
        self.publish();
        // SAFETY: the kernel reads and writes the params. It copies the queues' contents, and
        // leaves the old ones to who has mapped them.
        let resized = unsafe { self.register(registered::RESIZE, (&raw mut params).cast(), 1) };
        // SAFETY: reserved above, and not used.
        unsafe { pages::unmap(reserved, room) };
        if resized < 0 { resized } else { self.map(params) }
    }

    /// As many bytes of addresses as queues of this size need at the most.
    fn room(&self, entries: u32, cq_entries: Option<u32>) -> usize {
        let entries = entries.min(MOST).next_power_of_two() as usize;
        let cq_entries = cq_entries.map_or(2 * entries, |count| count.min(MOST).next_power_of_two() as usize);
        let sqes = entries * (size_of::<sys::io_uring_sqe>() << self.queues.sqe_shift);
        let cqes = cq_entries * (size_of::<sys::io_uring_cqe>() << self.queues.cqe_shift);
        (sqes + cqes + entries * size_of::<u32>() + 2 * pages::LARGEST).next_multiple_of(pages::LARGEST)
    }

    /// Shows the kernel what is queued, or it would not be copied: it looks at that only when
    /// it is entered, since the ring has no thread of its own.
    fn publish(&mut self) {
        let sq = &mut self.uring.sq;
        // SAFETY: the queue is mapped; the array, where there is one, has a place for each SQE.
        unsafe {
            for number in 0..sq.sqe_tail.wrapping_sub(sq.sqe_head) {
                fill(sq, sq.sqe_head.wrapping_add(number) & self.queues.sq_mask);
            }
            (*self.queues.sq_tail).store(sq.sqe_tail, Ordering::Release);
        }
        sq.sqe_head = sq.sqe_tail;
    }

    /// Maps the new queues in the place of the old.
    fn map(&mut self, mut params: sys::io_uring_params) -> i32 {
        params.features = self.uring.features; // which says that both are one mapping
        if self.has_array() && params.sq_off.array == 0 {
            params.sq_off.array = self.array_offset(&params);
        }
        // SAFETY: a struct of numbers and pointers may be all zeros.
        let mut new: sys::io_uring = unsafe { zeroed() };
        // SAFETY: the params are the kernel's own; `new` is writable.
        let mapped = unsafe { sys::io_uring_queue_mmap(self.uring.ring_fd, &mut params, &mut new) };
        if mapped < 0 {
            return mapped; // the old queues stay mapped: what the ring still has, `drain` gives up
        }
        let old = std::mem::replace(&mut self.uring.sq, new.sq);
        self.uring.cq = new.cq;
        self.uring.sq.sqe_head = old.sqe_head;
        self.uring.sq.sqe_tail = old.sqe_tail;
        let stride = size_of::<sys::io_uring_sqe>() << self.queues.sqe_shift;
        // SAFETY: liburing mapped both, a ring that can be resized has both queues in one mapping,
        // and nothing refers to the old ones: every borrow of the ring has ended.
        unsafe {
            sys::munmap(old.sqes.cast(), self.queues.sq_entries as usize * stride);
            sys::munmap(old.ring_ptr, old.ring_sz as usize);
            self.queues = Queues::new(&self.uring);
            if self.has_array() {
                for index in 0..self.queues.sq_entries {
                    fill(&mut self.uring.sq, index);
                }
            }
        }
        0
    }
}

/// More entries than this no queue has, and the kernel refuses them.
const MOST: u32 = 1 << 16;

/// How the kernel aligns the array of indices behind the completion queue: at its processor's
/// cache lines. Where that is not known here, a ring that has the array is not resized.
const LINE: Option<u32> =
    if cfg!(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")) {
        Some(64)
    } else {
        None
    };

impl Ring {
    /// Whether SQEs are found through an array of their indices: since liburing 2.5 they are not.
    #[allow(clippy::bad_bit_mask)] // the flag is zero where liburing is older
    fn has_array(&self) -> bool {
        self.uring.flags & flag::IORING_SETUP_NO_SQARRAY == 0
    }

    /// Where the array is, which Linux (6.18, at least) does not say of resized queues.
    fn array_offset(&self, params: &sys::io_uring_params) -> u32 {
        let cqe = (size_of::<sys::io_uring_cqe>() as u32) << self.queues.cqe_shift;
        let end = params.cq_off.cqes + params.cq_entries * cqe;
        end.next_multiple_of(LINE.unwrap_or(1))
    }
}

/// Notes in the array that the SQE at `index` is at `index`, where there is an array.
///
/// # Safety
/// The array has that place.
unsafe fn fill(sq: &mut sys::io_uring_sq, index: u32) {
    if !sq.array.is_null() {
        // SAFETY: the caller's promise.
        unsafe { sq.array.add(index as usize).write(index) }
    }
}
