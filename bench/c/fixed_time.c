/* Preloaded, it stops the clock that Lua seeds its hashes from, so that counts repeat. */
#include <time.h>

time_t time(time_t *at)
{
	if (at)
		*at = 1;
	return 1;
}
