-- Files.

local luring = require "luring"
local part = ...
local actions = part "actions"
local failure = part "failure"
local group = part "group"
local reading = part "reading"
local scope = part "scope"
local stream = part "stream"
local task = part "task"
local raise = part "place".raise

local wait = actions.wait

local file = { public = {} }

local File = {}
File.__index = File
reading.extend(File)
File.buf, File.at, File.size, File.reader = "", 1, 0, false

local CHUNK = 65536
local LARGE, MOST = 2 ^ 20, 2 ^ 30 -- bytes for which there is room at once, and of any read
local PERMISSIONS = 438 -- octal 666, less the umask

local function plain(mode)
    return (mode:gsub("b", ""))
end

local MODES = {
    ["r"] = luring.O_RDONLY,
    ["r+"] = luring.O_RDWR,
    ["w"] = luring.O_WRONLY + luring.O_CREAT + luring.O_TRUNC,
    ["w+"] = luring.O_RDWR + luring.O_CREAT + luring.O_TRUNC,
    ["a"] = luring.O_WRONLY + luring.O_CREAT + luring.O_APPEND,
    ["a+"] = luring.O_RDWR + luring.O_CREAT + luring.O_APPEND,
}

local function new(fd, path)
    return setmetatable({ fd = fd, path = path }, File)
end

local function refused(self, res)
    return failure.refused(res, self.path)
end

local function closed(self)
    return nil, (self.path and self.path .. ": " or "") .. "closed", luring.EBADF
end

-- Raises what is wrong with a path.
local function check_path(path, name)
    if type(path) ~= "string" then raise("bad argument #1 to '" .. name .. "' (string expected)") end
    if path:find("\0", 1, true) then
        raise("bad argument #1 to '" .. name .. "' (a path without zero bytes expected)")
    end
end

-- The number of a descriptor, which an object may have; nil for what is none.
local function number_of(fd)
    local ok, number = pcall(luring.fileno, fd)
    return ok and number or nil
end

local OPEN_OPTIONS = { beneath = true, perm = true }

local function check_open_options(options)
    local beneath, perm = options.beneath, options.perm
    if type(beneath) == "string" and beneath:find("\0", 1, true)
        or beneath and type(beneath) ~= "string" and not number_of(beneath) then
        raise("bad argument #3 to 'open' (beneath: a folder or its descriptor expected)")
    end
    if perm ~= nil and (type(perm) ~= "number" or perm < 0 or perm % 1 ~= 0) then
        raise("bad argument #3 to 'open' (perm: a number expected)")
    end
end

-- Opens a file as io.open does. `beneath` is a folder, or its descriptor, that the path must not
-- leave, by links either; `perm` are the permissions of a new one.
function file.public.open(path, mode, options)
    check_path(path, "open")
    if mode ~= nil and type(mode) ~= "string" then raise("bad argument #2 to 'open' (string expected)") end
    local flags = MODES[plain(mode or "r")]
    if not flags then raise("bad argument #2 to 'open' (invalid mode)") end
    options = options or {}
    part("options").check(options, OPEN_OPTIONS, 3, "open")
    check_open_options(options)
    local t = task.me()
    local perm = flags % (luring.O_CREAT * 2) >= luring.O_CREAT and (options.perm or PERMISSIONS) or 0
    flags = flags + luring.O_CLOEXEC
    local fd
    local done = t.done or t:done_of()
    task.check(t)
    local f, holder = scope.own(new(false, path)), nil
    if options.beneath then
        local folder = options.beneath
        if type(folder) == "string" then
            local how = luring.O_PATH + luring.O_DIRECTORY + luring.O_CLOEXEC
            holder = scope.own(new(false))
            local own = task.wait_bare(t, luring.open, folder, how, 0, done)
            if own < 0 then
                scope.disown(holder)
                scope.disown(f)
                task.check(t)
                return failure.refused(own, folder)
            end
            holder.fd, folder = own, own
        end
        fd = task.wait_bare(t, luring.openat2, folder, path,
            { flags = flags, mode = perm, resolve = luring.RESOLVE_BENEATH }, done)
    else
        fd = task.wait_bare(t, luring.open, path, flags, perm, done)
    end
    if fd >= 0 then f.fd = fd end
    if holder then holder:close() end
    if fd < 0 then
        scope.disown(f)
        task.check(t)
        return failure.refused(fd, path)
    end
    return f
end

-- A file of a descriptor that the program has.
function file.public.file(fd)
    local number = number_of(fd)
    if not number then raise("bad argument #1 to 'file' (a descriptor expected, got " .. type(fd) .. ")") end
    if number < 0 then raise("bad argument #1 to 'file' (a descriptor expected, got " .. number .. ")") end
    return scope.own(new(number))
end

-- Raises where another task waits for more of what has been read, as a stream's does.
function File:refuse_reader()
    if stream.busy(self.reader, luring.read, self.fd) and self.reader ~= task.current() then
        raise("another task reads from this file")
    end
end

-- How many bytes a read asks for: room is made for all of them, so of many no more than the file has.
local function most(self, n)
    if n <= LARGE then return n end
    local stat = luring.statx_fd(self.fd, luring.STATX_SIZE)
    local size = type(stat) == "table" and stat.stx_size or 0
    return math.min(n, math.max(size, LARGE), MOST)
end

function File:fill(n)
    if not self.fd then return closed(self) end
    local t = task.me()
    if self.reader then self:refuse_reader() end
    self.reader = t
    local res, data = wait(t, luring.read, 3, self.fd, most(self, math.max(n or 0, CHUNK)), -1)
    self.reader = false
    if not self.fd then return closed(self) end -- another task has closed it meanwhile
    if res < 0 then return refused(self, res) end
    if res == 0 then return nil end
    return data
end

local buffered_read = File.read

local function check_offset(at, name)
    if type(at) ~= "number" or at < 0 or at >= 2 ^ 63 or at % 1 ~= 0 then
        raise("bad argument #2 to '" .. name .. "' (an offset expected)")
    end
end

-- What comes next, or what is at an offset, which leaves the file's own position alone; nil alone at
-- the end.
function File:read(n, at)
    if n then reading.check_count(n, "read") end
    if not at then return buffered_read(self, n) end
    check_offset(at, "read")
    if not self.fd then return closed(self) end
    n = most(self, n or CHUNK)
    local res, data = wait(task.me(), luring.read, 3, self.fd, n, at)
    if res < 0 then return refused(self, res) end
    if res == 0 and n > 0 then return nil end
    return data
end

-- Gives back what was read ahead, before the file is changed: it has not been read, as far as the program knows,
-- and may be other bytes now. A terminal has no position, and what another task is reading is that one's.
local function give_back(self)
    if self.size == 0 or stream.busy(self.reader, luring.read, self.fd) then return end
    if luring.lseek(self.fd, -self.size, luring.SEEK_CUR) >= 0 then reading.forget(self) end
end

-- Writes all of a string, at the file's own position or at an offset: how much, or nil, message,
-- errno and how much was written.
function File:write(data, at)
    if type(data) ~= "string" then raise("bad argument #1 to 'write' (string expected)") end
    if at then check_offset(at, "write") end
    if not self.fd then return closed(self) end
    give_back(self)
    local written = 0
    local t = task.me()
    while written < #data do
        if not self.fd then -- another task has closed it meanwhile
            local _, message, errno = closed(self)
            return nil, message, errno, written
        end
        local rest = written == 0 and data or data:sub(written + 1)
        local res = wait(t, luring.write, 3, self.fd, rest, at and at + written or -1)
        if res < 0 then
            local _, message, errno = refused(self, res)
            return nil, message, errno, written
        end
        written = written + res
    end
    return written
end

local function simple(self, op, ...)
    if not self.fd then return closed(self) end
    local res, value = wait(task.me(), op, select("#", ...), ...)
    if res < 0 then return refused(self, res) end
    return value or true
end

-- Puts what was written onto the disk.
function File:sync()
    return simple(self, luring.fsync, self.fd, 0)
end

local TYPES = {
    [luring.S_IFREG] = "file", [luring.S_IFDIR] = "directory", [luring.S_IFLNK] = "link", [luring.S_IFIFO] = "pipe",
    [luring.S_IFSOCK] = "socket", [luring.S_IFCHR] = "character device", [luring.S_IFBLK] = "block device",
}

local function with_type(stat)
    stat.type = TYPES[stat.stx_mode - stat.stx_mode % 4096]
    stat.size = stat.stx_size
    return stat
end

-- What the file system knows of it: statx's fields, and `type` and `size`.
function File:stat()
    local stat, message, errno =
        simple(self, luring.statx, self.fd, "", luring.AT_EMPTY_PATH, luring.STATX_BASIC_STATS)
    if not stat then return nil, message, errno end
    return with_type(stat)
end

function File:truncate(length)
    if length and (type(length) ~= "number" or length < 0 or length >= 2 ^ 63 or length % 1 ~= 0) then
        raise("bad argument #1 to 'truncate' (a number of bytes expected)")
    end
    if not self.fd then return closed(self) end
    give_back(self)
    -- The action needs Linux 6.9: this does it anywhere.
    local res = luring.ftruncate_fd(self.fd, length or 0)
    if res < 0 then return refused(self, res) end
    return true
end

function File:close()
    local fd = self.fd
    if not fd then return true end
    local res = luring.close_fd(fd)
    self.fd = nil
    self.buf, self.at, self.tail, self.size = nil, nil, nil, nil
    scope.disown(self)
    if res < 0 then return refused(self, res) end
    return true
end

File.__close = scope.close_variable
File.drop_descriptor = scope.drop_descriptor

function File:getfd()
    return self.fd or -1
end

-- ---- whole files ----

-- Calls `f(open)`, where `open` is file.public.open for one file, and closes that whatever comes.
local function with_file(f)
    local opened
    local child = group.call(f, function(...)
        local message, errno
        opened, message, errno = file.public.open(...)
        return opened, message, errno
    end)
    if opened then opened:close() end
    return group.results(task.me(), child)
end

function file.public.read_file(path)
    check_path(path, "read_file")
    return with_file(function(open)
        local f, message, errno = open(path)
        if not f then return nil, message, errno end
        return f:read_all()
    end)
end

-- Has the names of a folder on the disk, as far as that can be.
local function sync_folder(path)
    local t, folder = task.me(), scope.own(new(false))
    local fd = luring.open_file(path, luring.O_RDONLY)
    if fd < 0 then return scope.disown(folder) end
    folder.fd = fd
    task.wait_bare(t, luring.fsync, fd, 0, t.done or t:done_of())
    folder:close()
end

local WRITE_OPTIONS = { sync = true, atomic = true }

local numbers = 0 -- of new files: what the clock says may be the same for two tasks

-- With `sync` it is on the disk when this returns; with `atomic` a reader finds the old contents or
-- the new, never a part.
function file.public.write_file(path, data, options)
    check_path(path, "write_file")
    if type(data) ~= "string" then raise("bad argument #2 to 'write_file' (string expected)") end
    options = options or {}
    part("options").check(options, WRITE_OPTIONS, 3, "write_file")
    numbers = numbers + 1
    local to = options.atomic and ("%s.%.14g.%d.new"):format(path, luring.now(), numbers) or path
    local there = false
    local child = group.call(with_file, function(open)
        local f, _, errno = open(to, "w")
        if not f then return failure.refused(-errno, path) end
        there = true
        f.path = path -- what the program calls it
        local ok, message
        ok, message, errno = f:write(data)
        if ok and options.sync then ok, message, errno = f:sync() end
        if not ok then return nil, message, errno end
        return f:close()
    end)
    if options.atomic and there then
        if child.state ~= "done" or not child:outcome() then
            os.remove(to)
        else
            local renamed, _, errno = os.rename(to, path)
            if not renamed then
                os.remove(to)
                return failure.refused(-errno, path)
            end
            if options.sync then group.call_shielded(sync_folder, path:match("^(.*/)[^/]*$") or ".") end
        end
    end
    return group.results(task.me(), child)
end

-- ---- from a file to a stream ----

local PIECE = 4 * CHUNK -- how much of it is read at once
local SPARE = 8 -- buffers that a loop keeps for the next

-- Sends a part of a file: how much was sent, or nil, message, errno and how much. It goes through a
-- buffer and no string: by a pipe and splice it takes longer, since each splice is a worker's.
function stream.Stream:sendfile(source, offset, n)
    local kind = type(source)
    if kind ~= "number" and kind ~= "userdata" and not (kind == "table" and source.getfd) then
        raise("bad argument #1 to 'sendfile' (a file or a descriptor expected)")
    end
    if offset then check_offset(offset, "sendfile") end
    if n and not part("options").is_count(n, 0) then
        raise("bad argument #3 to 'sendfile' (a number of bytes expected)")
    end
    local t = task.me()
    task.check(t)
    local fd = kind == "number" and source % 1 == 0 and source or number_of(source) or -1
    offset, n = offset or 0, n or math.huge
    local spare = t.loop.buffers
    if not spare then
        spare = {}
        t.loop.buffers = spare
    end
    local buffer = table.remove(spare) or luring.buffer(PIECE)
    local sent, ok, message, errno = 0, true, nil, nil
    stream.check_writer(self, t)
    self.sender, self.source, self.odd = t, fd, true -- nobody else writes between two pieces
    while ok and sent < n do
        if kind ~= "number" then fd = number_of(source) or -1 end -- its number is another's once it is closed
        local piece = n - sent < PIECE and buffer:view(1, n - sent) or buffer
        local res = task.wait_bare(t, luring.read, fd, piece, offset + sent, t.done or t:done_of())
        if res > 0 then
            local written
            if res < #piece then piece = buffer:view(1, res) end
            ok, message, errno, written = stream.write_rest(self, t, piece, 0)
            sent = sent + (ok and res or written)
        elseif res == 0 then
            break
        elseif res ~= -luring.EINTR or t.doomed then
            if sent > 0 then self.torn, self.odd = true, true end
            task.check(t)
            ok, message, errno = failure.refused(res)
        end
    end
    self.sender = false
    if #spare < SPARE then spare[#spare + 1] = buffer end
    if ok then return sent end
    return nil, message, errno, sent
end

-- ---- the program's own ----

local standard = { stdin = 0, stdout = 1, stderr = 2 }
for name, fd in pairs(standard) do
    local kind = luring.getsockopt(fd, luring.SOL_SOCKET, luring.SO_TYPE)
    file.public[name] = kind == luring.SOCK_STREAM and stream.of_socket(fd) or stream.of_pipe(fd)
end

return file
