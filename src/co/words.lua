-- What LuaSocket calls what has failed.

local luring = require "luring"
local part = ...
local raise = part "place".raise

local find = string.find

local words = {}

local WORDS = {
    [luring.ETIMEDOUT] = "timeout", [luring.EAGAIN] = "timeout",
    [luring.ECANCELED] = "closed", [luring.ECONNRESET] = "closed", [luring.ECONNABORTED] = "closed",
    [luring.EPIPE] = "closed", [luring.ECONNREFUSED] = "connection refused",
    [luring.EADDRINUSE] = "address already in use", [luring.EACCES] = "permission denied",
}

local UNKNOWN = "host or service not provided, or not known"
words.BAD_DESCRIPTOR = luring.strerror(luring.EBADF)

function words.of(errno)
    return errno and (WORDS[errno] or luring.strerror(errno)) or "closed"
end

-- What looking a name up ends in.
local LOOKUPS = {
    [luring.ENOENT] = UNKNOWN, [luring.EINVAL] = UNKNOWN,
    [luring.EAGAIN] = "temporary failure in name resolution",
}

function words.of_host(host, errno)
    return not find(host, "^unix:") and LOOKUPS[errno] or words.of(errno)
end

-- What a host is that has no address of the family: an address of the other one, or a name.
function words.of_family(is_address)
    return is_address and "Address family for hostname not supported" or UNKNOWN
end

-- Raises what is wrong with an argument of a method.
function words.bad_argument(place, name, what)
    raise(("bad argument #%d to '%s' (%s)"):format(place, name, what))
end

return words
