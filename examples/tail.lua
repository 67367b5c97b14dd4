-- Follows many files at once: inotify says when to read which.

local USAGE = [[
Usage: lua tail.lua FILE ...
Prints the last 10 lines of each file (no more than 64 KiB of it), and then what is added to it,
until it is removed.]]

local luring = require "luring"

local LINES = 10
local SIZE = 64 * 1024 -- bytes a read asks for, and where the last lines are looked for

local failed = false

local function complain(...)
    failed = true
    io.stderr:write("tail.lua: ", table.concat({ ... }, ": "), "\n")
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
local made, ring = pcall(luring.queue_init_params, 64, { auto_submit = true })
if not made then fail(ring) end
if #arg == 0 then fail("which files? (see --help)") end

local inotify = luring.inotify_init()
if inotify < 0 then fail("inotify", luring.strerror(-inotify)) end

local files, open = {}, 0 -- by their watches
local last                -- what was printed of last

local function put(file, data)
    if #data == 0 then return end
    local heading = #arg > 1 and last ~= file and ("%s==> %s <==\n"):format(last and "\n" or "", file.path) or ""
    last = file
    local written, why = io.stdout:write(heading, data)
    if written then written, why = io.stdout:flush() end
    if not written then fail("standard output", why) end
end

-- The last lines of a text.
local function ending(data)
    local at = #data
    for _ = 1, LINES do
        repeat at = at - 1 until at < 1 or data:byte(at) == 10
    end
    return data:sub(math.max(at, 0) + 1)
end

-- Ends it all when nothing is left to follow.
local function forget(file, ...)
    if not files[file.watch] then return end
    complain(file.path, ...)
    files[file.watch] = nil
    luring.inotify_rm_watch(inotify, file.watch)
    luring.close_fd(file.fd)
    open = open - 1
    if open == 0 then luring.stop(ring, 1) end
end

-- Reads on to the end. One read of a file is in flight at a time; what is added meanwhile it
-- reads too, or the next.
local function follow(file)
    if file.reading then
        file.again = true
        return
    end
    file.reading, file.again = true, false
    local size = luring.lseek(file.fd, 0, luring.SEEK_END)
    if size < file.at then
        io.stderr:write("tail.lua: ", file.path, ": starts anew, since it was cut\n")
        file.at = 0
    end
    ring:read(file.fd, SIZE, file.at, function(_, res, data)
        file.reading = false
        if res < 0 then return forget(file, luring.strerror(-res)) end
        file.at = file.at + res
        if file.first then data, file.first = ending(data), false end
        put(file, data)
        if res > 0 or file.again then return follow(file) end
        -- A file that has no name any more is followed to its end, and no further.
        ring:statx(file.fd, "", luring.AT_EMPTY_PATH, luring.STATX_NLINK, function(_, failure, found)
            if failure < 0 then return forget(file, luring.strerror(-failure)) end
            if found.stx_nlink == 0 and not file.reading then return forget(file, "it was removed") end
        end)
    end)
end

for _, path in ipairs(arg) do
    local fd = luring.open_file(path, luring.O_RDONLY + luring.O_NONBLOCK)
    local size = fd >= 0 and luring.lseek(fd, 0, luring.SEEK_END) or fd
    local watch = size >= 0
        and luring.inotify_add_watch(inotify, path, luring.IN_MODIFY + luring.IN_ATTRIB) or size
    if watch < 0 then
        complain(path, luring.strerror(-watch))
        if fd >= 0 then luring.close_fd(fd) end
    elseif files[watch] then
        luring.close_fd(fd) -- it is followed already
    else
        files[watch] = { path = path, fd = fd, watch = watch, at = math.max(size - SIZE, 0), first = true }
        open = open + 1
    end
end
if open == 0 then os.exit(1) end

local function listen()
    ring:read(inotify, 4096, -1, function(_, res, records)
        if res < 0 then fail("inotify", luring.strerror(-res)) end
        for _, event in ipairs(luring.inotify_events(records)) do
            if luring.has(event.mask, luring.IN_Q_OVERFLOW) then
                -- Too much has happened to be told: anything may have.
                for _, file in pairs(files) do follow(file) end
            elseif files[event.wd] then
                follow(files[event.wd])
            end
        end
        return listen()
    end)
end

listen()
for _, file in pairs(files) do follow(file) end
-- At Ctrl-C, the interpreter raises an error: "interrupted!".
local ran, result = pcall(luring.run, ring)
luring.queue_exit(ring)
if not ran then
    if tostring(result):find("interrupted!", 1, true) then os.exit(130) end
    fail(tostring(result))
end
if result < 0 then fail("run", luring.strerror(-result)) end
os.exit(failed and 1 or 0)
