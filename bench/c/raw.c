/*
 * The limit: the same work over liburing in C, with no Lua at all.
 *
 * raw files ACTION SIZE DEPTH COUNT FLAGS   on descriptor 3; prints CPU seconds as the Lua cases do
 * raw echo SIZE FLAGS                       serves the listening socket 3, for ever
 *
 * FLAGS are io_uring_setup(2)'s; 'r' after them registers the ring's own descriptor.
 */
#include "ring.h"
#include <time.h>
#include <unistd.h>

static void start(unsigned entries, const char *flags)
{
	char *rest;
	unsigned bits = strtoul(flags, &rest, 0);
	int error = io_uring_queue_init(entries, &ring, bits);

	if (error < 0)
		fail("io_uring_queue_init", -error);
	if (*rest == 'r' && (error = io_uring_register_ring_fd(&ring)) < 0)
		fail("io_uring_register_ring_fd", -error);
}

/* ---- files ---- */

static char **spare; /* buffers of no action */
static size_t spares, bytes;

static void files_run(int writes, unsigned size, long depth, long count)
{
	long queued = 0, ended = 0;

	while (ended < count) {
		struct io_uring_cqe *cqe;

		for (; queued < count && queued < ended + depth; queued++) {
			struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
			char *buffer = spare[--spares];

			if (writes)
				io_uring_prep_write(sqe, 3, buffer, size, 0);
			else
				io_uring_prep_read(sqe, 3, buffer, size, 0);
			io_uring_sqe_set_data(sqe, buffer);
		}
		submit_and_wait();
		while (io_uring_peek_cqe(&ring, &cqe) == 0) {
			if (cqe->res < 0)
				fail("an action", -cqe->res);
			bytes += cqe->res;
			spare[spares++] = io_uring_cqe_get_data(cqe);
			io_uring_cqe_seen(&ring, cqe);
			ended++;
		}
	}
}

static int files(char **args)
{
	int writes = strcmp(args[0], "write") == 0;
	unsigned size = strtoul(args[1], NULL, 0);
	long depth = atol(args[2]), count = atol(args[3]);
	long warm = count / 10 > 2 * depth ? count / 10 : 2 * depth;
	clock_t before;

	start(depth, args[4]);
	spare = memory(depth * sizeof *spare);
	/* Writes are all of the same bytes, as in the Lua cases. */
	while ((long)spares < depth) {
		spare[spares] = writes && spares ? spare[0] : memory(size);
		spares++;
	}
	files_run(writes, size, depth, warm);
	before = clock();
	files_run(writes, size, depth, count);
	printf("cpu %.9f\n", (double)(clock() - before) / CLOCKS_PER_SEC);
	return bytes == (size_t)(warm + count) * size ? 0 : 1;
}

/* ---- echo ---- */

struct connection {
	int fd, sends;
	unsigned from, to; /* what of the buffer is to be sent */
	char buffer[];
};

static unsigned size;

static struct io_uring_sqe *sqe_for(struct connection *connection)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (!sqe)
		fail("the queue is full", ENOBUFS);
	sqe->flags = 0;
	io_uring_sqe_set_data(sqe, connection);
	return sqe;
}

static void queue_accept(void)
{
	struct io_uring_sqe *sqe = sqe_for(NULL);

	io_uring_prep_accept(sqe, 3, NULL, NULL, 0);
	io_uring_sqe_set_data(sqe, NULL);
}

static void queue_next(struct connection *connection)
{
	struct io_uring_sqe *sqe = sqe_for(connection);

	connection->sends = connection->from < connection->to;
	if (connection->sends)
		io_uring_prep_send(sqe, connection->fd, connection->buffer + connection->from,
				   connection->to - connection->from, MSG_NOSIGNAL);
	else
		io_uring_prep_recv(sqe, connection->fd, connection->buffer, size, 0);
	io_uring_sqe_set_data(sqe, connection);
}

static void echo_step(struct connection *connection, int res)
{
	if (!connection) {
		if (res < 0)
			fail("accept", -res);
		connection = memory(sizeof *connection + size);
		connection->fd = res;
		queue_accept();
	} else if (res <= 0) {
		close(connection->fd);
		free(connection);
		return;
	} else if (connection->sends) {
		connection->from += res;
	} else {
		connection->from = 0;
		connection->to = res;
	}
	queue_next(connection);
}

static void echo(char **args)
{
	size = strtoul(args[0], NULL, 0);
	start(1024, args[1]);
	queue_accept();
	for (;;) {
		struct io_uring_cqe *cqe;

		submit_and_wait();
		while (io_uring_peek_cqe(&ring, &cqe) == 0) {
			struct connection *connection = io_uring_cqe_get_data(cqe);
			int res = cqe->res;

			io_uring_cqe_seen(&ring, cqe);
			echo_step(connection, res);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc == 7 && strcmp(argv[1], "files") == 0)
		return files(argv + 2);
	if (argc == 4 && strcmp(argv[1], "echo") == 0)
		echo(argv + 2);
	return 2;
}
