local luring = require "luring"
local child = require "child"
local drive = require "drive"
local host = require "host"

local folder

local function path(name) return folder .. "/" .. name end

local function put(name, text)
    local file = assert(io.open(path(name), "wb"))
    file:write(text or "")
    file:close()
end

-- What the system's own stat says.
local function stat(format, name)
    return (child.shell(("stat -c %s %s"):format(child.quote(format), child.quote(path(name)))).output:gsub("\n$", ""))
end

before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert.equal(0, child.shell("mkdir " .. child.quote(folder)).status)
end)
after_each(function() child.shell("rm -r " .. child.quote(folder)) end)

describe("readdir", function()
    it("gives each name and its type", function()
        put "file"
        child.shell(("cd %s && mkdir dir && ln -s nowhere link && mkfifo fifo && : >.hidden"):format(folder))
        local expected = {
            file = luring.DT_REG, dir = luring.DT_DIR, link = luring.DT_LNK, fifo = luring.DT_FIFO,
            [".hidden"] = luring.DT_REG,
        }
        assert.same(expected, luring.readdir(folder))
        assert.same({}, luring.readdir(path "dir"))
    end)

    it("takes a descriptor, from the beginning each time, and leaves it open", function()
        put "file"
        local fd = luring.open_file(folder, luring.O_RDONLY + luring.O_DIRECTORY)
        for _ = 1, 2 do assert.same({ file = luring.DT_REG }, luring.readdir(fd)) end
        assert.same({ file = luring.DT_REG }, luring.readdir { fd = fd })
        assert.equal(0, luring.close_fd(fd))
    end)

    it("gives as many names as there are, of any length and any bytes", function()
        local names = { [("x"):rep(255)] = true, ["a\nb"] = true, ["\255"] = true, ["..."] = true, [" "] = true }
        for i = 1, 1000 do names[("%d-%s"):format(i, ("n"):rep(i % 200))] = true end
        for name in pairs(names) do put(name) end
        local found = luring.readdir(folder)
        for name in pairs(names) do assert.equal(luring.DT_REG, found[name], name) end
        for name in pairs(found) do assert.is_true(names[name], name) end
    end)

    it("is -errno, and leaves no descriptor open", function()
        put "file"
        local free = luring.open_file("/dev/null", "r")
        luring.close_fd(free)
        assert.equal(-luring.ENOENT, luring.readdir(path "nowhere"))
        assert.equal(-luring.ENOTDIR, luring.readdir(path "file"))
        assert.equal("table", type(luring.readdir(folder)))
        local from, to = luring.pipe2()
        assert.equal(free, from)
        assert.equal(-luring.ESPIPE, luring.readdir(from))
        assert.equal(-luring.EBADF, luring.readdir(-1))
        drive.close(from, to)
    end)
end)

describe("readlink", function()
    it("is where a link points to", function()
        local target = ("t"):rep(4000)
        child.shell(("cd %s && ln -s %s long && ln -s 'a b' short"):format(folder, target))
        assert.equal("a b", luring.readlink(path "short"))
        assert.equal(target, luring.readlink(path "long"))
    end)

    it("is -errno of what is no link", function()
        put "file"
        assert.equal(-luring.EINVAL, luring.readlink(path "file"))
        assert.equal(-luring.ENOENT, luring.readlink(path "nowhere"))
    end)
end)

describe("mknod", function()
    it("makes a FIFO with its permissions", function()
        local before = host.umask(0)
        assert.equal(0, luring.mknod(path "fifo", luring.S_IFIFO + 416)) -- 0640
        host.umask(before)
        assert.equal("fifo 640", stat("%F %a", "fifo"))
        assert.equal(-luring.EEXIST, luring.mknod(path "fifo", luring.S_IFIFO + 416))
    end)

    it("makes a device with its number", function()
        local made = luring.mknod(path "null", luring.S_IFCHR + 438, 259) -- 1, 3
        if made == -luring.EPERM then return pending("only root may make devices") end
        assert.equal(0, made)
        assert.equal("character special file 1 3", stat("%F %t %T", "null"))
    end)
end)

describe("utimensat", function()
    local function times(name) return stat("%.9X %.9Y", name) end

    it("sets both times, from a float or a table", function()
        put "file"
        assert.equal(0, luring.utimensat(luring.AT_FDCWD, path "file", 1000.5, { tv_sec = 2000, tv_nsec = 7 }))
        assert.equal("1000.500000000 2000.000000007", times "file")
        assert.equal(0, luring.utimensat(luring.AT_FDCWD, path "file", -1.5, "3"))
        assert.equal("-1.500000000 3.000000000", times "file")
    end)

    it("leaves a time that is omitted, and takes the present where none is given", function()
        put "file"
        local omit = { tv_sec = 0, tv_nsec = luring.UTIME_OMIT }
        assert.equal(0, luring.utimensat(luring.AT_FDCWD, path "file", 1000, 2000))
        assert.equal(0, luring.utimensat(luring.AT_FDCWD, path "file", omit, 3000))
        assert.equal("1000.000000000 3000.000000000", times "file")
        assert.equal(0, luring.utimensat(luring.AT_FDCWD, path "file", nil, omit))
        local read, written = times("file"):match("(%S+) (%S+)")
        assert.is_true(tonumber(read) > 1e9)
        assert.equal("3000.000000000", written)
    end)

    it("counts the path from a folder, and has none for the descriptor itself", function()
        put "file"
        local fd = luring.open_file(folder, luring.O_RDONLY)
        assert.equal(0, luring.utimensat(fd, "file", 1, 2))
        assert.equal("1.000000000 2.000000000", times "file")
        luring.close_fd(fd)
        fd = luring.open_file(path "file", luring.O_RDONLY)
        assert.equal(0, luring.utimensat(fd, nil, 3, 4))
        assert.equal("3.000000000 4.000000000", times "file")
        luring.close_fd(fd)
    end)

    it("takes flags: a link itself has times too", function()
        put "file"
        child.shell(("cd %s && ln -s file link"):format(folder))
        luring.utimensat(luring.AT_FDCWD, path "file", 1, 2)
        assert.equal(0, luring.utimensat(luring.AT_FDCWD, path "link", 3, 4, luring.AT_SYMLINK_NOFOLLOW))
        assert.equal("1.000000000 2.000000000", times "file")
        assert.equal("4.000000000", stat("%.9Y", "link"))
    end)

    it("is -errno, and an argument error for what is no time", function()
        assert.equal(-luring.ENOENT, luring.utimensat(luring.AT_FDCWD, path "nowhere", 1, 2))
        for _, wrong in ipairs { 0 / 0, math.huge, -math.huge, 2 ^ 63 } do
            local ok, message = pcall(luring.utimensat, luring.AT_FDCWD, path "x", wrong)
            assert.is_false(ok)
            assert.truthy(message:find("must be a time in seconds", 1, true), message)
        end
        for field, wrong in pairs { tv_sec = {}, tv_nsec = { tv_sec = 1, tv_nsec = 1000000000 } } do
            if field == "tv_nsec" then wrong.tv_nsec = luring.UTIME_NOW + 1 end
            local ok, message = pcall(luring.utimensat, luring.AT_FDCWD, path "x", wrong)
            assert.is_false(ok)
            assert.truthy(message:find(("field '%s' must be an integer from "):format(field), 1, true), message)
        end
    end)
end)

describe("an open file", function()
    local fd, ring
    before_each(function()
        put("file", "0123456789")
        fd, ring = luring.open_file(path "file", luring.O_RDWR), luring.queue_init(4, 0)
    end)
    after_each(function()
        luring.close_fd(fd)
        luring.queue_exit(ring)
    end)

    it("by flags is written at an offset", function()
        assert.equal(2, (drive.one(ring, "write", fd, "ab", 3)))
        assert.equal("012ab56789", drive.contents(path "file"))
    end)

    it("by flags is close-on-exec; by a letter it isn't, as ever", function()
        local function flags(file)
            local octal = child.contents("/proc/self/fdinfo/" .. file):match("flags:%s*(%d+)")
            return math.floor(tonumber(octal, 8) / luring.O_CLOEXEC) % 2
        end
        assert.equal(1, flags(fd))
        local other = luring.open_file(path "file", "r")
        assert.equal(0, flags(other))
        luring.close_fd(other)
    end)

    it("by flags is made with the permissions", function()
        local before = host.umask(0)
        local one = luring.open_file(path "new", luring.O_WRONLY + luring.O_CREAT + luring.O_EXCL, 384)
        local two = luring.open_file(path "newer", luring.O_WRONLY + luring.O_CREAT)
        local three = luring.open_file(path "newest", "w", 448)
        host.umask(before)
        assert.equal("600 664 700", ("%s %s %s"):format(stat("%a", "new"), stat("%a", "newer"), stat("%a", "newest")))
        assert.equal(-luring.EEXIST, luring.open_file(path "new", luring.O_CREAT + luring.O_EXCL))
        drive.close(one, two, three)
    end)

    it("has a position, which lseek moves", function()
        assert.equal(4, luring.lseek(fd, 4))
        assert.equal("45", select(2, drive.one(ring, "read", fd, 2, -1)))
        assert.equal(5, luring.lseek(fd, -1, luring.SEEK_CUR))
        assert.equal(10, luring.lseek(fd, 0, luring.SEEK_END))
        assert.equal(2 ^ 40, luring.lseek(fd, 2 ^ 40))
        assert.equal(-luring.EINVAL, luring.lseek(fd, -1))
        local from, to = luring.pipe2()
        assert.equal(-luring.ESPIPE, luring.lseek(from, 0))
        drive.close(from, to)
    end)

    it("is looked at by statx_fd, which says what statx does", function()
        local known = luring.statx_fd(fd)
        assert.same(select(2, drive.one(ring, "statx", fd, "", luring.AT_EMPTY_PATH, luring.STATX_BASIC_STATS)), known)
        assert.equal(10, known.stx_size)
        assert.equal(stat("%i %Y", "file"), ("%d %d"):format(known.stx_ino, known.stx_mtime.tv_sec))
        local size = luring.statx_fd(fd, luring.STATX_SIZE)
        assert.equal(10, size.stx_size)
        assert.equal(-luring.EBADF, luring.statx_fd(100000))
        assert.equal(-luring.EINVAL, luring.statx_fd(fd, 2147483648))
        assert.has_error(function() luring.statx_fd("file") end)
    end)

    it("is cut and filled by ftruncate_fd", function()
        assert.equal(0, luring.ftruncate_fd(fd, 3))
        assert.equal("012", drive.contents(path "file"))
        assert.equal(0, luring.ftruncate_fd(fd, 5))
        assert.equal("012\0\0", drive.contents(path "file"))
        assert.equal(-luring.EINVAL, luring.ftruncate_fd(fd, -1))
    end)

    it("gets its permissions from fchmod, and its owner from fchown", function()
        assert.equal(0, luring.fchmod(fd, 261)) -- 0405
        assert.equal("405", stat("%a", "file"))
        local owner, group = stat("%u %g", "file"):match("(%d+) (%d+)")
        assert.equal(0, luring.fchown(fd, -1, -1))
        assert.equal(owner .. " " .. group, stat("%u %g", "file"))
        if owner ~= "0" then return pending("only root may give files away") end
        assert.equal(0, luring.fchown(fd, 12345, -1))
        assert.equal("12345 " .. group, stat("%u %g", "file"))
        assert.equal(0, luring.fchown(fd, -1, 54321))
        assert.equal("12345 54321", stat("%u %g", "file"))
        assert.equal(-luring.EBADF, luring.fchmod(-1, 0))
    end)
end)

describe("fileno", function()
    it("is a Lua file's descriptor", function()
        local file = assert(io.open("/dev/null"))
        local fd = luring.fileno(file)
        assert.equal("/dev/null", luring.readlink("/proc/self/fd/" .. fd))
        file:close()
        assert.equal(0, luring.fileno(io.stdin))
        assert.equal(7, luring.fileno { getfd = function() return 7 end })
    end)
end)
