/* Preloaded: what the module and liburing allocate fails, while it is told to. Lua's own memory, the C
   library's, and other modules' doesn't: who asks is told by where the call returns to. A module as
   well, so that the program can tell it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

typedef struct lua_State lua_State;
#if LUA_NUM < 503
typedef ptrdiff_t lua_Integer;
#else
typedef long long lua_Integer;
#endif
typedef int (*lua_CFunction)(lua_State *);
extern lua_Integer luaL_checkinteger(lua_State *, int);
extern void lua_pushcclosure(lua_State *, lua_CFunction, int);
extern void lua_pushinteger(lua_State *, lua_Integer);

static struct { uintptr_t start, end; } ranges[8];
static int count;
static int armed;
static long asked, first, span, failed;

static int note(struct dl_phdr_info *object, size_t size, void *data)
{
	uintptr_t start = UINTPTR_MAX, end = 0;
	(void)size, (void)data;
	if (!strstr(object->dlpi_name, "luring.so") && !strstr(object->dlpi_name, "liburing"))
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		if (part->p_type != PT_LOAD)
			continue;
		if (object->dlpi_addr + part->p_vaddr < start)
			start = object->dlpi_addr + part->p_vaddr;
		if (object->dlpi_addr + part->p_vaddr + part->p_memsz > end)
			end = object->dlpi_addr + part->p_vaddr + part->p_memsz;
	}
	if (count < 8) {
		ranges[count].start = start;
		ranges[count++].end = end;
	}
	return 0;
}

static int fails(void *caller)
{
	if (!armed)
		return 0;
	for (int i = 0; i < count; i++) {
		if ((uintptr_t)caller < ranges[i].start || (uintptr_t)caller >= ranges[i].end)
			continue;
		asked++;
		if (asked < first || asked - first >= span)
			return 0;
		failed++;
		errno = ENOMEM;
		return 1;
	}
	return 0;
}

#define NEXT(type, name, ...) \
	static type (*next)(__VA_ARGS__); \
	if (!next) \
		*(void **)&next = dlsym(RTLD_NEXT, name)

void *malloc(size_t size)
{
	NEXT(void *, "malloc", size_t);
	return fails(__builtin_return_address(0)) ? NULL : next(size);
}

void *realloc(void *block, size_t size)
{
	NEXT(void *, "realloc", void *, size_t);
	return fails(__builtin_return_address(0)) ? NULL : next(block, size);
}

/* The C library's dlsym may ask for some before there is a next one. */
void *calloc(size_t number, size_t size)
{
	static char early[4096];
	static size_t used;
	static int looking;
	static void *(*next)(size_t, size_t);
	if (looking) {
		void *block = early + used;
		used += (number * size + 15) / 16 * 16;
		return used <= sizeof early ? block : NULL;
	}
	if (!next) {
		looking = 1;
		*(void **)&next = dlsym(RTLD_NEXT, "calloc");
		looking = 0;
	}
	return fails(__builtin_return_address(0)) ? NULL : next(number, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
	NEXT(int, "posix_memalign", void **, size_t, size_t);
	return fails(__builtin_return_address(0)) ? ENOMEM : next(block, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	NEXT(void *, "aligned_alloc", size_t, size_t);
	return fails(__builtin_return_address(0)) ? NULL : next(alignment, size);
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	NEXT(void *, "mmap", void *, size_t, int, int, int, off_t);
	return fails(__builtin_return_address(0)) ? (void *)-1
	                                          : next(address, size, protection, flags, fd, offset);
}

#ifdef __GLIBC__ /* other C libraries have but the one */
void *mmap64(void *address, size_t size, int protection, int flags, int fd, off64_t offset)
{
	NEXT(void *, "mmap64", void *, size_t, int, int, int, off64_t);
	return fails(__builtin_return_address(0)) ? (void *)-1
	                                          : next(address, size, protection, flags, fd, offset);
}
#endif

int madvise(void *address, size_t size, int advice)
{
	NEXT(int, "madvise", void *, size_t, int);
	return fails(__builtin_return_address(0)) ? -1 : next(address, size, advice);
}

/* fail(first, span): the `first`-th call from now on fails, and `span` - 1 more. A span of 0 ends that.
   How many have failed since the last time. */
static int fail(lua_State *L)
{
	long before = failed;
	armed = 0;
	count = 0;
	dl_iterate_phdr(note, NULL);
	first = (long)luaL_checkinteger(L, 1);
	span = (long)luaL_checkinteger(L, 2);
	asked = failed = 0;
	armed = span > 0;
	lua_pushinteger(L, before);
	return 1;
}

int luaopen_failing(lua_State *L)
{
	lua_pushcclosure(L, fail, 0);
	return 1;
}
