/*
 * sync FILE SECONDS: appends records to a new file, each with an fdatasync of its own, as who answers each
 * client by itself. Prints how many, and the seconds.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	char record[160];
	double from, now, until;
	long count = 0;
	int fd;

	if (argc != 3)
		return 2;
	unlink(argv[1]);
	fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0644);
	memset(record, 'x', sizeof record);
	from = now = seconds();
	for (until = from + atof(argv[2]); now < until; now = seconds(), count++) {
		if (write(fd, record, sizeof record) != sizeof record || fdatasync(fd) != 0) {
			perror("sync");
			return 1;
		}
	}
	printf("requests %ld\nseconds %.9f\n", count, now - from);
	return 0;
}
