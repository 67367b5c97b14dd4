/*
 * cold FOLDER COUNT DEPTH: reads the files 1, 2, ... of 4 KiB whole, with no Lua: open, read and close of
 * each are linked, on direct descriptors; DEPTH are under way at once.
 */
#include "ring.h"
#include <fcntl.h>

#define SIZE 4096

static const char *folder;
static long number, count, under_way;

static void next_file(unsigned slot, char (*paths)[256], char (*buffers)[SIZE])
{
	struct io_uring_sqe *sqe;

	if (number == count)
		return;
	snprintf(paths[slot], sizeof *paths, "%s/%ld", folder, ++number);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_openat_direct(sqe, AT_FDCWD, paths[slot], O_RDONLY, 0, slot);
	io_uring_sqe_set_data64(sqe, 0);
	sqe->flags |= IOSQE_IO_LINK;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_read(sqe, slot, buffers[slot], SIZE, 0);
	io_uring_sqe_set_data64(sqe, 1);
	sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_LINK;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_close_direct(sqe, slot);
	io_uring_sqe_set_data64(sqe, (unsigned long)slot << 2 | 2);
	under_way++;
}

int main(int argc, char **argv)
{
	char (*paths)[256], (*buffers)[SIZE];
	unsigned depth;
	long bytes = 0;
	int *files, error;

	if (argc != 4)
		return 2;
	folder = argv[1];
	count = atol(argv[2]);
	depth = atoi(argv[3]);
	paths = calloc(depth, sizeof *paths);
	buffers = calloc(depth, sizeof *buffers);
	files = malloc(depth * sizeof *files);
	error = io_uring_queue_init(4 * depth, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	if (error < 0)
		fail("io_uring_queue_init", -error);
	memset(files, -1, depth * sizeof *files);
	if ((error = io_uring_register_files(&ring, files, depth)) < 0)
		fail("io_uring_register_files", -error);
	for (unsigned slot = 0; slot < depth; slot++)
		next_file(slot, paths, buffers);
	while (under_way > 0) {
		struct io_uring_cqe *cqe;

		submit_and_wait();
		while (io_uring_peek_cqe(&ring, &cqe) == 0) {
			unsigned kind = cqe->user_data & 3, slot = cqe->user_data >> 2;

			if (cqe->res < 0)
				fail("an action", -cqe->res);
			bytes += kind == 1 ? cqe->res : 0;
			io_uring_cqe_seen(&ring, cqe);
			if (kind == 2) {
				under_way--;
				next_file(slot, paths, buffers);
			}
		}
	}
	return bytes == count * SIZE ? 0 : 1;
}
