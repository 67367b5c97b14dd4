/*
 * The limit of an echo server that queues a send and the next receive at once, with no Lua: for clients that
 * send nothing before they have their answer.
 *
 * best at_once SIZE FLAGS   each receive is queued by itself; FLAGS are io_uring_setup(2)'s
 * best all SIZE             multishots, a ring of buffers, and a ring of SQEs that one thread uses
 *
 * Both serve the listening socket 3, for ever.
 */
#include "ring.h"
#include <unistd.h>

#define BUFFERS 1024 /* of the ring of buffers */
#define ALL (IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)

static unsigned size;

static struct io_uring_sqe *sqe(void)
{
	struct io_uring_sqe *got = io_uring_get_sqe(&ring);

	if (!got)
		fail("the queue is full", ENOBUFS);
	return got;
}

/* What a completion says: an accept, a receive of a connection, or a send of a buffer. */
enum { ACCEPT, RECEIVE, SEND };

static void queued_as(struct io_uring_sqe *it, unsigned kind, unsigned number)
{
	io_uring_sqe_set_data64(it, (unsigned long)number << 2 | kind);
}

/* ---- each receive by itself ---- */

/* By the number of their descriptor: two buffers, since one is sent while the other is filled. */
static struct connection { char *buffers[2]; int filled; } connections[4096];

static void receive(unsigned fd)
{
	struct connection *it = connections + fd;
	struct io_uring_sqe *next = sqe();

	it->filled = !it->filled;
	io_uring_prep_recv(next, fd, it->buffers[it->filled], size, 0);
	queued_as(next, RECEIVE, fd);
}

static void accept_one(void)
{
	struct io_uring_sqe *next = sqe();

	io_uring_prep_accept(next, 3, NULL, NULL, 0);
	queued_as(next, ACCEPT, 0);
}

static void at_once(unsigned kind, unsigned number, struct io_uring_cqe *cqe)
{
	if (cqe->res < 0)
		fail("an action", -cqe->res);
	if (kind == ACCEPT) {
		number = cqe->res;
		if (number >= sizeof connections / sizeof *connections)
			fail("accept", EMFILE);
		if (!connections[number].buffers[0])
			for (int i = 0; i < 2; i++)
				connections[number].buffers[i] = memory(size);
		accept_one();
		receive(number);
	} else if (kind == RECEIVE && cqe->res == 0) {
		close(number);
	} else if (kind == RECEIVE) {
		struct io_uring_sqe *answer = sqe();

		io_uring_prep_send(answer, number, connections[number].buffers[connections[number].filled], cqe->res,
				   MSG_WAITALL | MSG_NOSIGNAL);
		queued_as(answer, SEND, number);
		receive(number);
	}
}

/* ---- all that helps ---- */

static struct io_uring_buf_ring *group;
static char *buffers;

static void give(unsigned number)
{
	io_uring_buf_ring_add(group, buffers + (size_t)number * size, size, number, io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(group, 1);
}

static void make_group(void)
{
	struct io_uring_buf_reg registration = { .ring_entries = BUFFERS };
	int error;

	group = memory(BUFFERS * sizeof(struct io_uring_buf));
	buffers = memory((size_t)BUFFERS * size);
	registration.ring_addr = (unsigned long)group;
	error = io_uring_register_buf_ring(&ring, &registration, 0);
	if (error < 0)
		fail("io_uring_register_buf_ring", -error);
	io_uring_buf_ring_init(group);
	for (unsigned i = 0; i < BUFFERS; i++)
		give(i);
}

static void receive_all(unsigned fd)
{
	struct io_uring_sqe *next = sqe();

	io_uring_prep_recv_multishot(next, fd, NULL, 0, 0);
	next->flags |= IOSQE_BUFFER_SELECT;
	queued_as(next, RECEIVE, fd);
}

static void accept_all(void)
{
	struct io_uring_sqe *next = sqe();

	io_uring_prep_multishot_accept(next, 3, NULL, NULL, 0);
	queued_as(next, ACCEPT, 0);
}

static void all(unsigned kind, unsigned number, struct io_uring_cqe *cqe)
{
	if (cqe->res < 0 && cqe->res != -ENOBUFS)
		fail("an action", -cqe->res);
	if (kind == ACCEPT) {
		receive_all(cqe->res);
	} else if (kind == SEND) {
		give(number);
	} else if (cqe->res == 0) {
		close(number);
	} else {
		if (cqe->res > 0) {
			unsigned buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
			struct io_uring_sqe *answer = sqe();

			io_uring_prep_send(answer, number, buffers + (size_t)buffer * size, cqe->res,
					   MSG_WAITALL | MSG_NOSIGNAL);
			queued_as(answer, SEND, buffer);
		}
		if (!(cqe->flags & IORING_CQE_F_MORE))
			receive_all(number);
	}
}

static void serve(void (*step)(unsigned, unsigned, struct io_uring_cqe *))
{
	for (;;) {
		struct io_uring_cqe *cqe;

		submit_and_wait();
		while (io_uring_peek_cqe(&ring, &cqe) == 0) {
			step(cqe->user_data & 3, cqe->user_data >> 2, cqe);
			io_uring_cqe_seen(&ring, cqe);
		}
	}
}

int main(int argc, char **argv)
{
	int error, single = argc == 4 && strcmp(argv[1], "at_once") == 0;

	if (!single && (argc != 3 || strcmp(argv[1], "all") != 0))
		return 2;
	size = strtoul(argv[2], NULL, 0);
	error = io_uring_queue_init(4096, &ring, single ? strtoul(argv[3], NULL, 0) : ALL);
	if (error < 0)
		fail("io_uring_queue_init", -error);
	if (single) {
		accept_one();
		serve(at_once);
	}
	if ((error = io_uring_register_ring_fd(&ring)) < 0)
		fail("io_uring_register_ring_fd", -error);
	make_group();
	accept_all();
	serve(all);
}
