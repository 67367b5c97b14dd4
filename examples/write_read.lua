-- Writes a file and reads it back.
-- Usage: lua write_read.lua [FILE]

local luring = require "luring"

local path = arg and arg[1] or os.tmpname()
local ring = luring.queue_init(8, 0)

local fd = luring.open_file(path, "w+")
if fd < 0 then
    error(("cannot open %s: %s"):format(path, luring.strerror(-fd)))
end

-- Submits what is queued, waits for one completion, and calls its callback.
local function turn()
    local submitted = luring.submit_and_wait(ring, 1)
    if submitted < 0 then
        error(luring.strerror(-submitted))
    end
    luring.do_cqes(ring)
end

luring.write(ring, fd, "written by luring\n", 0, function(cqe, res)
    luring.cqe_seen(ring, cqe)
    print(res < 0 and luring.strerror(-res) or ("wrote %d bytes"):format(res))
end)
turn()

luring.read(ring, fd, 4096, 0, function(cqe, res, result)
    luring.cqe_seen(ring, cqe)
    print(res < 0 and luring.strerror(-res) or ("read %d bytes: %s"):format(res, result:gsub("\n", "")))
end)
turn()

luring.close_fd(fd)
luring.queue_exit(ring)
if not (arg and arg[1]) then
    os.remove(path)
end
