/*
 * load CONNECTIONS SIZE WARM_MS RUN_MS COMMAND...
 *
 * Starts an echo server, which gets a listening socket as descriptor 3, on one core, and
 * sends it requests from another: each connection has one under way at any time. Prints
 * the requests, the seconds they took, the server's CPU seconds meanwhile, and how long a
 * request took in the middle and in the 99th of a hundred. Then it ends the server.
 */
#define _GNU_SOURCE
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES (1u << 23)

struct connection {
	int fd;
	unsigned number; /* of its requests, which each begins with */
	unsigned long sent_at;
	char *request, *reply;
};

static struct io_uring ring;
static size_t size;
static pid_t server = -1;

static void end_server(void)
{
	if (server > 0)
		kill(server, SIGKILL);
}

static void server_ended(int signal)
{
	static const char text[] = "load: the server has ended\n";

	(void)signal;
	if (write(2, text, sizeof text - 1)) {}
	_exit(1);
}

static int try(int returned, const char *what)
{
	if (returned < 0) {
		fprintf(stderr, "load: %s: %s\n", what, strerror(returned == -1 ? errno : -returned));
		end_server();
		exit(1);
	}
	return returned;
}

static unsigned long nanoseconds(clockid_t clock)
{
	struct timespec now;

	try(clock_gettime(clock, &now), "clock_gettime");
	return now.tv_sec * 1000000000ul + now.tv_nsec;
}

static void wrong(const char *what, int number)
{
	fprintf(stderr, "load: the server is wrong in %s: %d\n", what, number);
	signal(SIGCHLD, SIG_DFL);
	end_server();
	exit(1);
}

/* With one core only, both are on it. */
static void pin(int core)
{
	cpu_set_t cores;

	CPU_ZERO(&cores);
	CPU_SET(core, &cores);
	try(sched_setaffinity(0, sizeof cores, &cores), "sched_setaffinity");
}

static void start_server(int listener, int core, char **command)
{
	server = try(fork(), "fork");
	if (server != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin(core);
	try(dup2(listener, 3), "dup2");
	execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

/* A send and, once it is done, a receive of the same size: one completion for both. */
static void request(struct connection *connection, unsigned long now)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	connection->number++;
	memcpy(connection->request, &connection->number, sizeof connection->number);
	io_uring_prep_send(sqe, connection->fd, connection->request, size, MSG_WAITALL | MSG_NOSIGNAL);
	sqe->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
	io_uring_sqe_set_data(sqe, NULL);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_recv(sqe, connection->fd, connection->reply, size, MSG_WAITALL);
	io_uring_sqe_set_data(sqe, connection);
	connection->sent_at = now;
}

static int order(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static void connect_to(struct sockaddr_in *address, struct connection *connection)
{
	int yes = 1;

	connection->fd = try(socket(AF_INET, SOCK_STREAM, 0), "socket");
	try(setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), "setsockopt");
	try(connect(connection->fd, (struct sockaddr *)address, sizeof *address), "connect");
	connection->request = malloc(size);
	connection->reply = malloc(size);
	for (size_t i = 0; i < size; i++)
		connection->request[i] = (char)(i * 7 + connection->fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	unsigned *samples = malloc(SAMPLES * sizeof *samples), requests = 0;
	unsigned long warm_until, run_until = 0, began = 0, now, cpu = 0;
	struct connection *connections;
	int listener, count, cores, answered = 0, yes = 1;
	clockid_t server_clock;

	if (argc < 6)
		return 2;
	count = atoi(argv[1]);
	size = strtoul(argv[2], NULL, 0);
	alarm((atoi(argv[3]) + atoi(argv[4])) / 1000 + 20); /* whatever happens, it ends */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, server_ended);

	listener = try(socket(AF_INET, SOCK_STREAM, 0), "socket");
	/* What is accepted inherits it, so that no server waits for an acknowledgement. */
	try(setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), "setsockopt");
	try(bind(listener, (struct sockaddr *)&address, len), "bind");
	try(listen(listener, 4096), "listen");
	try(getsockname(listener, (struct sockaddr *)&address, &len), "getsockname");
	cores = sysconf(_SC_NPROCESSORS_ONLN);
	start_server(listener, 0, argv + 5);
	pin(cores > 1 ? 1 : 0);
	try(-clock_getcpuclockid(server, &server_clock), "clock_getcpuclockid");

	if (io_uring_queue_init(4096, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) < 0)
		try(io_uring_queue_init(4096, &ring, 0), "io_uring_queue_init");
	connections = calloc(count, sizeof *connections);
	for (int i = 0; i < count; i++)
		connect_to(&address, connections + i);

	now = nanoseconds(CLOCK_MONOTONIC);
	warm_until = now + atol(argv[3]) * 1000000;
	for (int i = 0; i < count; i++)
		request(connections + i, now);
	while (!began || now < run_until) {
		struct io_uring_cqe *cqe;

		try(io_uring_submit_and_wait(&ring, 1), "io_uring_submit_and_wait");
		while (io_uring_peek_cqe(&ring, &cqe) == 0) {
			struct connection *connection = io_uring_cqe_get_data(cqe);

			if (!connection || cqe->res != (int)size)
				wrong("how many bytes it sent", cqe->res);
			if (memcmp(connection->request, connection->reply, size < 64 ? size : 64) != 0)
				wrong("what it sent", 0);
			io_uring_cqe_seen(&ring, cqe);
			now = nanoseconds(CLOCK_MONOTONIC);
			answered += connection->number == 1;
			if (began) {
				samples[requests++ % SAMPLES] = now - connection->sent_at;
			} else if (now >= warm_until && answered == count) {
				began = now;
				run_until = now + atol(argv[4]) * 1000000;
				cpu = nanoseconds(server_clock);
			}
			request(connection, now);
		}
	}
	cpu = nanoseconds(server_clock) - cpu;
	now = nanoseconds(CLOCK_MONOTONIC);
	signal(SIGCHLD, SIG_DFL);
	end_server();
	waitpid(server, NULL, 0);
	if (requests == 0 || requests > SAMPLES)
		wrong("how many requests it answered", requests);
	qsort(samples, requests, sizeof *samples, order);
	printf("requests %u\nseconds %.9f\ncpu %.9f\np50 %.9f\np99 %.9f\n", requests, (now - began) / 1e9,
	       cpu / 1e9, samples[requests / 2] / 1e9, samples[requests / 100 * 99] / 1e9);
	return 0;
}
