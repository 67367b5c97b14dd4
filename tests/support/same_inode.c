/* Preloaded: every file has the same device and inode, as rings do before Linux 5.16. And
   nobody sleeps. */

#define _GNU_SOURCE
#include <string.h>
#include <sys/stat.h>
#include <time.h>

int fstat(int fd, struct stat *file)
{
	(void)fd;
	memset(file, 0, sizeof *file);
	return 0;
}

#ifdef __GLIBC__ /* other C libraries have but the one */
int fstat64(int fd, struct stat64 *file)
{
	(void)fd;
	memset(file, 0, sizeof *file);
	return 0;
}
#endif

int nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)time, (void)left;
	return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
	(void)clock, (void)flags, (void)time, (void)left;
	return 0;
}
