-- Writes a file and reads it back.

local USAGE = [[
Usage: lua write_read.lua [FILE]
Writes a line into FILE and reads it back. What FILE held before is lost.
Without FILE, it takes a temporary file and removes it.]]

local luring = require "luring"

---@return never
local function fail(...)
    io.stderr:write("write_read.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
end

-- Raises an error where io_uring is refused, as in many containers.
local made, ring = pcall(luring.queue_init, 8, 0)
if not made then fail(ring) end

local path = arg[1] or os.tmpname()
local fd = luring.open_file(path, "w+")
if fd < 0 then fail(path, luring.strerror(-fd)) end

-- Submits what is queued and calls callbacks until `done()` is true.
local function run_until(done)
    while not done() do
        local submitted = luring.submit_and_wait(ring, 1)
        -- A signal may end the wait. Nothing is lost: wait again.
        if submitted < 0 and submitted ~= -luring.EINTR then fail("submit", luring.strerror(-submitted)) end
        luring.do_cqes(ring)
    end
end

local line, written, got = "written by luring\n", nil, nil ---@type string, integer, string

luring.write(ring, fd, line, 0, function(cqe, res)
    luring.cqe_seen(ring, cqe)
    if res < 0 then fail(path, luring.strerror(-res)) end
    written = res
end)
run_until(function() return written end)
print(("wrote %d bytes"):format(written))

luring.read(ring, fd, 4096, 0, function(cqe, res, result)
    luring.cqe_seen(ring, cqe)
    if res < 0 then fail(path, luring.strerror(-res)) end
    got = result
end)
run_until(function() return got end)
print(("read %d bytes: %s"):format(#got, (got:gsub("\n", ""))))

luring.close_fd(fd)
luring.queue_exit(ring)
if not arg[1] then os.remove(path) end
if got ~= line then fail(path, "holds something else than what was written") end
