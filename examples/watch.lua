-- Runs a command whenever something in a folder has changed.

local USAGE = [[
Usage: lua watch.lua FOLDER COMMAND [ARGUMENT ...]
Runs the command at once, and again after each change in FOLDER (not in those below it). Changes
while it runs, and those of a tenth of a second, are taken together. Ends with FOLDER, or at
Ctrl-C.]]

local luring = require "luring"

local QUIET = 0.1 -- seconds without a change, after which the command runs

---@return never
local function fail(...)
    io.stderr:write("watch.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
end

-- Raises an error where io_uring is refused, as in many containers.
local made, ring = pcall(luring.queue_init, 16, 0)
if not made then fail(ring) end
local folder = arg[1]
if not arg[2] then fail("which folder, and what is done? (see --help)") end

local inotify = luring.inotify_init()
if inotify < 0 then fail("inotify", luring.strerror(-inotify)) end
local watch = luring.inotify_add_watch(inotify, folder, luring.IN_CLOSE_WRITE + luring.IN_CREATE
    + luring.IN_DELETE + luring.IN_MOVED_FROM + luring.IN_MOVED_TO + luring.IN_DELETE_SELF + luring.IN_ONLYDIR)
if watch < 0 then fail(folder, luring.strerror(-watch)) end

local command = { (unpack or table.unpack)(arg, 2) }
local running, changed = false, false
local timer -- of the quiet time

local function run()
    local pid, process = luring.posix_spawn(command)
    if pid < 0 then fail(command[1], luring.strerror(-pid)) end
    if process < 0 then fail("process", luring.strerror(-process)) end
    running, changed = true, false
    -- A process can be polled: it is readable when it has ended.
    ring:poll_add(process, luring.POLLIN, function()
        luring.waitid_now(luring.P_PIDFD, process)
        luring.close_fd(process)
        running = false
        if changed then return run() end
    end)
end

-- After the last of several changes. One that comes sooner begins the time anew.
local function later()
    if timer then return ring:timeout_update(QUIET, timer, 0) end
    timer = ring:timeout(QUIET, 0, 0, function()
        timer = nil
        if running then
            changed = true
        else
            return run()
        end
    end)
end

local function listen()
    ring:read(inotify, 4096, -1, function(_, res, records)
        if res < 0 then fail("inotify", luring.strerror(-res)) end
        for _, event in ipairs(luring.inotify_events(records)) do
            -- The folder itself has gone.
            if luring.has(event.mask, luring.IN_IGNORED) then return luring.stop(ring, 1) end
        end
        later()
        return listen()
    end)
end

listen()
run()
-- At Ctrl-C, the interpreter raises an error: "interrupted!".
local ran, result = pcall(luring.run, ring)
luring.queue_exit(ring)
if not ran then
    if tostring(result):find("interrupted!", 1, true) then os.exit(130) end
    fail(tostring(result))
end
if result < 0 then fail("run", luring.strerror(-result)) end
fail(folder, "it was removed")
