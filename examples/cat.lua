-- Copies files to the standard output, with several reads in flight.

local USAGE = [[
Usage: lua cat.lua [FILE ...]
Copies the files to the standard output, one after the other.
The standard input is taken for the file -, and when there is none.]]

local luring = require "luring"

local CHUNK = 64 * 1024 -- bytes a read asks for
local DEPTH = 8         -- reads in flight at once

local failed = false

local function complain(...)
    failed = true
    io.stderr:write("cat.lua: ", table.concat({ ... }, ": "), "\n")
end

---@return never
local function fail(...)
    complain(...)
    os.exit(1)
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
end

-- Raises an error where io_uring is refused, as in many containers.
local made, ring = pcall(luring.queue_init, DEPTH + 1, 0)
if not made then fail(ring) end

local function wait()
    local submitted = luring.submit_and_wait(ring, 1)
    -- A signal may end the wait. Nothing is lost: the caller waits again.
    if submitted < 0 and submitted ~= -luring.EINTR then
        fail("submit", luring.strerror(-submitted))
    end
    luring.do_cqes(ring)
end

-- Writes all of it to the standard output, whatever that is. A write may take less than
-- it was given, so it goes on with the rest.
local function put(data)
    while #data > 0 do
        local res ---@type integer
        luring.write(ring, 1, data, -1, function(cqe, n)
            luring.cqe_seen(ring, cqe)
            res = n
        end)
        while not res do wait() end
        if res < 0 and res ~= -luring.EINTR then
            fail("standard output", luring.strerror(-res))
        end
        data = data:sub(math.max(res, 0) + 1)
    end
end

-- Fills one chunk of a file. A read may bring less than it was asked for, so it reads
-- on until the chunk is full or the file ends. `done` is then true, or an errno.
local function fill(fd, chunk)
    luring.read(ring, fd, CHUNK - chunk.size, chunk.offset + chunk.size, function(cqe, res, result)
        luring.cqe_seen(ring, cqe)
        if res == -luring.EINTR then
            return fill(fd, chunk)
        elseif res < 0 then
            chunk.done = -res
        else
            chunk.parts[#chunk.parts + 1] = result
            chunk.size = chunk.size + res
            chunk.last = res == 0
            chunk.done = chunk.last or chunk.size == CHUNK
            if not chunk.done then
                return fill(fd, chunk)
            end
        end
    end)
end

-- Copies a file from an offset on: DEPTH chunks are read at once, and written in their
-- order. Returns an errno, or nothing.
local function copy_from(fd, next_offset)
    local chunks, first = {}, 1 ---@type any[], integer
    local function more()
        local chunk = { offset = next_offset, size = 0, parts = {} }
        next_offset = next_offset + CHUNK
        chunks[#chunks + 1] = chunk
        fill(fd, chunk)
    end
    for _ = 1, DEPTH do more() end
    local finished, errno
    while first <= #chunks do
        while not chunks[first].done do wait() end
        local chunk = chunks[first]
        chunks[first] = false
        first = first + 1
        if not finished then
            if chunk.done ~= true then errno = chunk.done end
            finished = chunk.last or errno
            if not finished then more() end -- this read goes on beside the write
            put(table.concat(chunk.parts))
        end
    end
    return errno
end

-- Whether reads at any offset make sense for a file of which one chunk has been read: not
-- for a pipe or a terminal, which have no position that moves. (Asking by a second open
-- would hang on a FIFO whose writer has gone.)
local function has_offsets(fd)
    local file = io.open("/proc/self/fdinfo/" .. fd)
    local info = file and file:read("*a") or ""
    if file then file:close() end
    return info:match("pos:%s*(%d+)") == tostring(CHUNK)
end

-- One read after the other, each where the last one ended. A file that fills the first of
-- them, and has offsets, is worth more than one at a time; but not the standard input, whose
-- position is also that of the programs after this one. Returns an errno, or nothing.
local function copy(fd, is_input)
    local first = not is_input
    while true do
        local res, data
        luring.read(ring, fd, CHUNK, -1, function(cqe, n, result)
            luring.cqe_seen(ring, cqe)
            res, data = n, result
        end)
        while not res do wait() end
        if res == 0 then
            return nil
        elseif res < 0 and res ~= -luring.EINTR then
            return -res
        end
        put(data)
        if first and res == CHUNK and has_offsets(fd) then
            return copy_from(fd, CHUNK)
        end
        first = false
    end
end

-- Whether a descriptor is the ordinary file that the standard output goes to: what is copied there
-- is read again, without an end.
local function is_output(fd)
    local from, to = luring.statx_fd(fd), luring.statx_fd(1)
    if type(from) ~= "table" or type(to) ~= "table" then return false end
    for _, key in ipairs { "stx_dev_major", "stx_dev_minor", "stx_ino" } do
        if from[key] ~= to[key] then return false end
    end
    return to.stx_mode - to.stx_mode % 4096 == luring.S_IFREG
end

for _, path in ipairs(#arg > 0 and arg or { "-" }) do
    local is_input = path == "-"
    local fd = is_input and 0 or luring.open_file(path, "r")
    if fd >= 0 and is_output(fd) then
        complain(path, "the standard output goes there")
    else
        local errno = fd < 0 and -fd or copy(fd, is_input)
        if errno then complain(path, luring.strerror(errno)) end
    end
    if fd >= 0 and not is_input then luring.close_fd(fd) end
end

luring.queue_exit(ring)
os.exit(failed and 1 or 0)
