/* What luring takes from the system: read by bindgen, and compiled into the shim. */

#ifndef LURING_WRAPPER_H
#define LURING_WRAPPER_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <limits.h>
#include <linux/futex.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* io_uring_prep_cancel's type changed in liburing 2.2, prep_rw's never did. */
static inline void luring_prep_cancel(struct io_uring_sqe *sqe, __u64 key)
{
	io_uring_prep_rw(IORING_OP_ASYNC_CANCEL, sqe, -1, NULL, 0, 0);
	sqe->addr = key;
}

/* pwritev2 by its number: some C libraries lack it, or refuse flags that they don't know. */
static inline int luring_pwritev2(int fd, const struct iovec *iov, int count, long offset, int flags)
{
	return syscall(SYS_pwritev2, (long)fd, iov, (long)count, offset, offset >> 31, (long)flags);
}

/* Installs the handler where the signal is at its default. */
static inline void luring_handle_by_default(int signal, void (*handler)(int))
{
	struct sigaction action;

	if (sigaction(signal, NULL, &action) != 0 || (action.sa_flags & SA_SIGINFO)
	    || action.sa_handler != SIG_DFL)
		return;
	memset(&action, 0, sizeof action);
	action.sa_handler = handler;
	action.sa_flags = SA_RESTART;
	sigaction(signal, &action, NULL);
}

/* Installs the handler, and gives what was there: 1, or 0 where that was the handler itself, or -1. */
static inline int luring_catch(int signal, void (*handler)(int), struct sigaction *before)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = handler;
	action.sa_flags = SA_RESTART;
	if (sigaction(signal, &action, before) != 0)
		return -1;
	return (before->sa_flags & SA_SIGINFO) || before->sa_handler != handler;
}

/* Puts back what was there, unless somebody else has taken the signal since. */
static inline void luring_let_go(int signal, void (*handler)(int), const struct sigaction *before)
{
	struct sigaction now;

	if (sigaction(signal, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == handler)
		sigaction(signal, before, NULL);
}

/* For handlers: counts one more on an eventfd. */
static inline void luring_count(int fd)
{
	int before = errno;
	__u64 one = 1;

	if (write(fd, &one, sizeof one) < 0)
		errno = before;
}

/* For handlers: the signal does what it does by default as soon as its handler has returned. */
static inline void luring_end_by_default(int signal)
{
	int before = errno;
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = SIG_DFL;
	sigaction(signal, &action, NULL);
	raise(signal);
	errno = before;
}

/* The C libraries have these in unions, by names that are macros. */
static inline int luring_siginfo_signo(siginfo_t *info)
{
	return info->si_signo;
}

static inline int luring_siginfo_code(siginfo_t *info)
{
	return info->si_code;
}

static inline int luring_siginfo_pid(siginfo_t *info)
{
	return info->si_pid;
}

static inline int luring_siginfo_uid(siginfo_t *info)
{
	return (int)info->si_uid;
}

static inline int luring_siginfo_status(siginfo_t *info)
{
	return info->si_status;
}

/* A field of its own only since liburing 2.1, in one place with this one. */
static inline void luring_set_file_index(struct io_uring_sqe *sqe, __u32 file_index)
{
	sqe->splice_fd_in = file_index;
}

/* An older liburing has not all of its operations. Gives -errno. */
static inline int luring_register(int fd, unsigned op, const void *arg, unsigned count)
{
	int result = syscall(__NR_io_uring_register, (long)fd, (long)op, arg, (long)count);

	return result < 0 ? -errno : result;
}

/* Later liburings hold the descriptor twice. */
static inline void luring_set_descriptor(struct io_uring *ring, int fd)
{
	ring->ring_fd = fd;
#ifdef IORING_ENTER_REGISTERED_RING
	ring->enter_ring_fd = fd;
#endif
}

/* A copy of a descriptor, which is not below `lowest`. */
static inline int luring_copy_descriptor(int fd, int lowest)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, lowest);
}

/* The device and the inode of an open file, or -1. */
static inline int luring_identity(int fd, __u64 *identity)
{
	struct stat file;

	if (fstat(fd, &file) != 0)
		return -1;
	identity[0] = file.st_dev;
	identity[1] = file.st_ino;
	return 0;
}

static inline void luring_select_buffer(struct io_uring_sqe *sqe, __u16 group)
{
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = group;
}

/* glibc declares these with a union type of its own in place of the pointer. */
static inline int luring_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return bind(fd, addr, len);
}

static inline int luring_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return connect(fd, addr, len);
}

static inline int luring_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	return getsockname(fd, addr, len);
}

static inline int luring_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	return getpeername(fd, addr, len);
}

/* The C libraries have these late, or not at all. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

static inline int luring_pidfd_open(int pid, unsigned flags)
{
	return syscall(SYS_pidfd_open, pid, flags);
}

static inline int luring_pidfd_send_signal(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

static inline int luring_getdents(int fd, void *records, size_t size)
{
	return syscall(SYS_getdents64, fd, records, size);
}

/* Likewise, an enum. Leaves zeros where it fails. */
static inline __u64 luring_locked_memory_limit(void)
{
	struct rlimit limit = { 0, 0 };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	return limit.rlim_cur;
}

#endif
