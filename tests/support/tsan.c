/* What check-threads loads with ThreadSanitizer's library. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <liburing.h>
#include <string.h>
#include <unistd.h>

extern void __tsan_acquire(void *);
extern void __tsan_release(void *);
extern void AnnotateIgnoreWritesBegin(const char *, int);
extern void AnnotateIgnoreWritesEnd(const char *, int);

/* rustc's LLVM calls these by names that older libraries don't have. */
void *__tsan_memcpy(void *to, const void *from, size_t n) { return memcpy(to, from, n); }
void *__tsan_memmove(void *to, const void *from, size_t n) { return memmove(to, from, n); }
void *__tsan_memset(void *to, int c, size_t n) { return memset(to, c, n); }

/* liburing maps a ring's memory by system calls of its own, which the sanitizer does not see: it would take one
   thread's ring for another's that has ended, at the same address. Who maps a page comes after who has unmapped it. */
static void each_page(struct io_uring *ring, void (*tell)(void *))
{
	size_t sqes = ring->sq.sqes ? *ring->sq.kring_entries * (ring->flags & (1U << 10) ? 128 : 64) : 0;
	for (size_t at = 0; at < ring->sq.ring_sz; at += 4096)
		tell((char *)ring->sq.ring_ptr + at);
	for (size_t at = 0; ring->cq.ring_ptr != ring->sq.ring_ptr && at < ring->cq.ring_sz; at += 4096)
		tell((char *)ring->cq.ring_ptr + at);
	for (size_t at = 0; at < sqes; at += 4096)
		tell((char *)ring->sq.sqes + at);
}

int io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *params)
{
	int (*next)(unsigned, struct io_uring *, struct io_uring_params *) = dlsym(RTLD_NEXT, "io_uring_queue_init_params");
	int made = next(entries, ring, params);
	if (made == 0)
		each_page(ring, __tsan_acquire);
	return made;
}

int io_uring_queue_init(unsigned entries, struct io_uring *ring, unsigned flags)
{
	struct io_uring_params params = { .flags = flags };
	return io_uring_queue_init_params(entries, ring, &params);
}

void io_uring_queue_exit(struct io_uring *ring)
{
	void (*next)(struct io_uring *) = dlsym(RTLD_NEXT, "io_uring_queue_exit");
	each_page(ring, __tsan_release);
	next(ring);
}

/* The sanitizer follows each descriptor from who made it to who closes it. It does not see those that a ring makes, and
   would take one for another that had its number: closing is no write, but is noted. */
int close(int fd)
{
	int (*next)(int) = dlsym(RTLD_NEXT, "close");
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
	int closed = next(fd);
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
	return closed;
}
