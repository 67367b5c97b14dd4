/* What luring takes from the system: read by bindgen, and compiled into the shim. */

#ifndef LURING_WRAPPER_H
#define LURING_WRAPPER_H

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * The setup flags that both this liburing and the queues' code here know. Any
 * other is refused: the kernel might take it and lay out the rings in a way that
 * one of us would misread.
 */
static const unsigned LURING_SETUP_FLAGS = IORING_SETUP_IOPOLL
	| IORING_SETUP_SQPOLL
	| IORING_SETUP_SQ_AFF
	| IORING_SETUP_CQSIZE
	| IORING_SETUP_CLAMP
	| IORING_SETUP_ATTACH_WQ
	| IORING_SETUP_R_DISABLED
#ifdef IORING_SETUP_SUBMIT_ALL
	| IORING_SETUP_SUBMIT_ALL
#endif
#ifdef IORING_SETUP_TASKRUN_FLAG
	| IORING_SETUP_COOP_TASKRUN
	| IORING_SETUP_TASKRUN_FLAG
#endif
#ifdef IORING_SETUP_CQE32
	| IORING_SETUP_SQE128
	| IORING_SETUP_CQE32
#endif
#ifdef IORING_SETUP_DEFER_TASKRUN
	| IORING_SETUP_SINGLE_ISSUER
	| IORING_SETUP_DEFER_TASKRUN
#endif
#ifdef IORING_SETUP_NO_SQARRAY
	| IORING_SETUP_NO_SQARRAY
#endif
	;

/* Zero where this liburing is older than the flag. */
static const unsigned LURING_SETUP_TASKRUN_FLAG = 0
#ifdef IORING_SETUP_TASKRUN_FLAG
	| IORING_SETUP_TASKRUN_FLAG
#endif
	;
static const unsigned LURING_SETUP_COOP_TASKRUN = 0
#ifdef IORING_SETUP_COOP_TASKRUN
	| IORING_SETUP_COOP_TASKRUN
#endif
	;
static const unsigned LURING_SETUP_DEFER_TASKRUN = 0
#ifdef IORING_SETUP_DEFER_TASKRUN
	| IORING_SETUP_DEFER_TASKRUN
#endif
	;
static const unsigned LURING_SETUP_SQE128 = 0
#ifdef IORING_SETUP_SQE128
	| IORING_SETUP_SQE128
#endif
	;
static const unsigned LURING_SETUP_CQE32 = 0
#ifdef IORING_SETUP_CQE32
	| IORING_SETUP_CQE32
#endif
	;
static const unsigned LURING_SQ_TASKRUN = 0
#ifdef IORING_SQ_TASKRUN
	| IORING_SQ_TASKRUN
#endif
	;

/* io_uring_prep_cancel's type changed in liburing 2.2, prep_rw's never did. */
static inline void luring_prep_cancel(struct io_uring_sqe *sqe, __u64 key)
{
	io_uring_prep_rw(IORING_OP_ASYNC_CANCEL, sqe, -1, NULL, 0, 0);
	sqe->addr = key;
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

/* Likewise, an enum. Leaves zeros where it fails. */
static inline __u64 luring_locked_memory_limit(void)
{
	struct rlimit limit = { 0, 0 };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	return limit.rlim_cur;
}

#endif
