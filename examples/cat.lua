-- Copies files to the standard output, with several reads in flight.
-- Usage: lua cat.lua FILE ...        (- is the standard input)

local luring = require "luring"

local CHUNK = 64 * 1024 -- bytes a read asks for
local DEPTH = 8         -- reads in flight at once

local ring = luring.queue_init(DEPTH, 0)
local failed = false

local function complain(path, errno)
    failed = true
    io.stderr:write(("cat.lua: %s: %s\n"):format(path, luring.strerror(errno)))
end

local function wait()
    local submitted = luring.submit_and_wait(ring, 1)
    if submitted < 0 and submitted ~= -luring.EINTR then
        error(luring.strerror(-submitted))
    end
    luring.do_cqes(ring)
end

-- Fills one chunk of a file. A read may bring less than it was asked for, so it reads
-- on until the chunk is full or the file ends. `done` is then true, or an errno.
local function fill(fd, chunk)
    luring.read(ring, fd, CHUNK - chunk.size, chunk.offset + chunk.size, function(cqe, res, result)
        luring.cqe_seen(ring, cqe)
        if res == -luring.EINTR or res == -luring.EAGAIN then
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

-- A regular file: DEPTH chunks are read at once, and written in their order.
-- Returns an errno, or nothing.
local function copy_file(fd)
    local chunks, first, next_offset = {}, 1, 0
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
            io.stdout:write(table.concat(chunk.parts))
            finished = chunk.last or errno
            if not finished then more() end
        end
    end
    return errno
end

-- Whether reads at any offset make sense: not for a pipe or a terminal, where the
-- kernel would hand the bytes to the reads in whatever order they run.
local function seekable(fd)
    local file = io.open("/proc/self/fd/" .. fd)
    local position = file and file:seek("end")
    if file then file:close() end
    return position
end

-- One read after the other, each where the last one ended.
local function copy_stream(fd)
    local res
    repeat
        res = nil
        luring.read(ring, fd, CHUNK, -1, function(cqe, n, result)
            luring.cqe_seen(ring, cqe)
            res = n
            io.stdout:write(result)
        end)
        while not res do wait() end
    until res <= 0 and res ~= -luring.EINTR and res ~= -luring.EAGAIN
    return res < 0 and -res or nil
end

local function copy(path)
    local fd = path == "-" and 0 or luring.open_file(path, "r")
    if fd < 0 then
        return complain(path, -fd)
    end
    -- The standard input may have been read from: go on where it is.
    local errno = (fd ~= 0 and seekable(fd) and copy_file or copy_stream)(fd)
    if errno then complain(path, errno) end
    if fd ~= 0 then luring.close_fd(fd) end
end

for _, path in ipairs(arg) do copy(path) end
io.stdout:flush()
luring.queue_exit(ring)
os.exit(failed and 1 or 0)
