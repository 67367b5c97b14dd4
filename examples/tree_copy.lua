-- Copies a folder with all that is in it, many files at once.

local USAGE = [[
Usage: lua tree_copy.lua FROM TO
Copies the file or folder FROM to TO, which must not be there: files with their holes and hard
links, symbolic links, FIFOs, permissions and times. What can't be copied is told of, and left
out; the status is 1 then.]]

local luring = require "luring"

local SIZE = 128 * 1024 -- bytes a read asks for
local AT_ONCE = 64      -- files, with two descriptors each

local failed = false

local function complain(...)
    failed = true
    io.stderr:write("tree_copy.lua: ", table.concat({ ... }, ": "), "\n")
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
local made, ring = pcall(luring.queue_init_params, 256, { auto_submit = true })
if not made then fail(ring) end
local from, to = arg[1], arg[2]
if not from or not to or arg[3] then fail("what is copied, and where? (see --help)") end

-- What is to be copied yet. What was found last is copied first, so that the list stays short.
local jobs, running = {}, 0
local copy

local function start()
    while running < AT_ONCE and #jobs > 0 do
        running = running + 1
        copy(table.remove(jobs))
    end
end

-- The end of a job, and what has gone wrong with a file.
local function finish(path, res)
    if res and res < 0 then complain(path, luring.strerror(-res)) end
    running = running - 1
    return start()
end

-- Gives a copy the permissions and the times of its original. The copy is owned by who makes it: the
-- bits that run a file as its owner or its group are not for another's program.
local function dress(fd, stat)
    local mode = stat.stx_mode % 4096
    if mode >= luring.S_ISGID then
        local own = luring.statx_fd(fd)
        if type(own) == "number" then return own end
        if own.stx_uid ~= stat.stx_uid or own.stx_gid ~= stat.stx_gid then mode = mode % luring.S_ISGID end
    end
    local res = luring.fchmod(fd, mode)
    if res < 0 then return res end
    return luring.utimensat(fd, nil, stat.stx_atime, stat.stx_mtime)
end

-- Copies what is in one open file to another, but for its holes, and calls `done(path, res)`
-- with the path that something is wrong with.
local function copy_data(job, input, output, size, done)
    local buffer = luring.buffer(math.max(math.min(SIZE, size), 4096))
    local step

    local function put(at, data)
        ring:write(output, data, at, function(_, res)
            if res < 0 then return done(job.to, res) end
            if res < #data then return put(at + res, data:view(res + 1, #data)) end
            return step(at + res)
        end)
    end

    function step(at)
        local data = luring.lseek(input, at, luring.SEEK_DATA)
        if data == -luring.ENXIO then
            -- A hole, or nothing: the file ends there.
            local last = math.max(luring.lseek(input, 0, luring.SEEK_END), at)
            return done(job.to, luring.ftruncate_fd(output, last))
        end
        -- Up to the next hole, and one is at the end of every file. Some file systems know of none.
        local hole = luring.lseek(input, math.max(data, 0), luring.SEEK_HOLE)
        if data < 0 then data = at end
        local part = hole > data and math.min(#buffer, hole - data) or #buffer
        ring:read(input, buffer:view(1, part), data, function(_, res)
            if res < 0 then return done(job.from, res) end
            if res == 0 then return done(job.to, luring.ftruncate_fd(output, data)) end
            return put(data, buffer:view(1, res))
        end)
    end
    return step(0)
end

local function copy_file(job, stat)
    -- Not a FIFO that has taken its place: opening one would wait for its other side.
    local flags = luring.O_RDONLY + luring.O_NOFOLLOW + luring.O_NONBLOCK + luring.O_CLOEXEC
    ring:open(job.from, flags, 0, function(_, input)
        if input < 0 then return finish(job.from, input) end
        flags = luring.O_WRONLY + luring.O_CREAT + luring.O_EXCL + luring.O_CLOEXEC
        ring:open(job.to, flags, 384, function(_, output) -- 600 in octal
            if output < 0 then
                luring.close_fd(input)
                return finish(job.to, output)
            end
            return copy_data(job, input, output, stat.stx_size, function(path, res)
                if res >= 0 then path, res = job.to, dress(output, stat) else os.remove(job.to) end
                luring.close_fd(input)
                local closed = luring.close_fd(output)
                return finish(path, res < 0 and res or closed)
            end)
        end)
    end)
end

---@type table[]
local folders = {} -- that were made, each before those in it
local target       -- which of all files TO is: it is no part of what is copied

local function copy_folder(job, stat)
    local names = luring.readdir(job.from)
    if type(names) == "number" then return finish(job.from, names) end
    ring:mkdir(job.to, 448, function(_, res) -- 700 in octal
        if res < 0 then return finish(job.to, res) end
        folders[#folders + 1] = { to = job.to, stat = stat }
        local function go_on()
            for name in pairs(names) do
                jobs[#jobs + 1] = { from = job.from .. "/" .. name, to = job.to .. "/" .. name }
            end
            return finish()
        end
        if target then return go_on() end
        ring:statx(luring.AT_FDCWD, job.to, 0, luring.STATX_BASIC_STATS, function(_, failure, made_stat)
            if failure < 0 then return finish(job.to, failure) end
            target = made_stat
            return go_on()
        end)
    end)
end

local function copy_link(job, stat)
    local leads_to = luring.readlink(job.from)
    if type(leads_to) == "number" then return finish(job.from, leads_to) end
    ring:symlink(leads_to, job.to, function(_, res)
        if res < 0 then return finish(job.to, res) end
        local atime, mtime = stat.stx_atime, stat.stx_mtime
        return finish(job.to, luring.utimensat(luring.AT_FDCWD, job.to, atime, mtime, luring.AT_SYMLINK_NOFOLLOW))
    end)
end

local function copy_fifo(job, stat)
    local res = luring.mknod(job.to, luring.S_IFIFO + 384) -- 600 in octal
    if res < 0 then return finish(job.to, res) end
    -- For reading and writing, it waits for no other side.
    local fd = luring.open_file(job.to, luring.O_RDWR + luring.O_NOFOLLOW)
    if fd < 0 then return finish(job.to, fd) end
    res = dress(fd, stat)
    luring.close_fd(fd)
    return finish(job.to, res)
end

-- What each file of several names was copied to first.
local copies = {}

local function same(a, b)
    return a.stx_ino == b.stx_ino and a.stx_dev_major == b.stx_dev_major and a.stx_dev_minor == b.stx_dev_minor
end

local function is(stat, kind) return math.floor(stat.stx_mode / 4096) == kind / 4096 end

function copy(job)
    local flags, mask = luring.AT_SYMLINK_NOFOLLOW, luring.STATX_BASIC_STATS
    ring:statx(luring.AT_FDCWD, job.from, flags, mask, function(_, res, stat)
        if res < 0 then return finish(job.from, res) end
        if target and same(stat, target) then
            complain(job.from, "a folder is not copied into itself")
            return finish()
        elseif is(stat, luring.S_IFDIR) then
            return copy_folder(job, stat)
        elseif is(stat, luring.S_IFLNK) then
            return copy_link(job, stat)
        end
        if stat.stx_nlink > 1 then
            local id = ("%d:%d:%d"):format(stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino)
            copies[id] = copies[id] or {}
            table.insert(copies[id], job.to)
            -- The others become links when the copy is there.
            if #copies[id] > 1 then return finish() end
        end
        if is(stat, luring.S_IFREG) then
            return copy_file(job, stat)
        elseif is(stat, luring.S_IFIFO) then
            return copy_fifo(job, stat)
        end
        complain(job.from, "neither a file, a folder, a link nor a FIFO")
        return finish()
    end)
end

-- Until nothing is in flight.
local function run()
    local ran, result = pcall(luring.run, ring)
    if not ran then fail(tostring(result)) end
    if result < 0 then fail("run", luring.strerror(-result)) end
end

jobs[1] = { from = from, to = to }
start()
run()

for _, names in pairs(copies) do
    for i = 2, #names do
        ring:link(names[1], names[i], 0, function(_, res)
            if res < 0 then complain(names[i], luring.strerror(-res)) end
        end)
    end
end
run()

-- Last, since what is put into a folder changes its times, and its permissions may forbid it.
for i = #folders, 1, -1 do
    local folder = folders[i]
    local fd = luring.open_file(folder.to, luring.O_RDONLY + luring.O_DIRECTORY)
    local res = fd < 0 and fd or dress(fd, folder.stat)
    if res < 0 then complain(folder.to, luring.strerror(-res)) end
    if fd >= 0 then luring.close_fd(fd) end
end
luring.queue_exit(ring)
os.exit(failed and 1 or 0)
