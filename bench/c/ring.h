/* What the C programs that have one ring share. */
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct io_uring ring;

static inline void fail(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error));
	exit(1);
}

/* On a page of its own: some processors copy much more slowly to the 31 bytes after its start. */
static inline void *memory(size_t size)
{
	void *got;
	int error = posix_memalign(&got, 4096, size);

	if (error)
		fail("posix_memalign", error);
	return memset(got, 0, size);
}

static inline void submit_and_wait(void)
{
	int error = io_uring_submit_and_wait(&ring, 1);

	if (error < 0 && error != -EINTR)
		fail("io_uring_submit_and_wait", -error);
}
