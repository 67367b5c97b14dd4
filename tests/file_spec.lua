local luring = require "luring"
local drive = require "drive"
local child = require "child"
local host = require "host"

describe("open_file", function()
    local path
    before_each(function() path = os.tmpname() end)
    after_each(function() os.remove(path) end)

    local function put(text)
        local file = assert(io.open(path, "wb"))
        file:write(text)
        file:close()
    end

    -- What can be done with a file that was opened so: bytes written, bytes read.
    local function try(mode)
        local ring = luring.queue_init(4, 0)
        local fd = luring.open_file(path, mode)
        assert.is_true(fd >= 0, tostring(fd))
        local written = drive.one(ring, "write", fd, "new", 0)
        local read, text = drive.one(ring, "read", fd, 100, 0)
        luring.queue_exit(ring)
        luring.close_fd(fd)
        return written, read, text
    end

    it("w reads and writes, and appends", function()
        put "old"
        assert.same({ 3, 6, "oldnew" }, { try "w" })
        assert.equal("oldnew", drive.contents(path))
    end)

    it("w+ empties the file first", function()
        put "old"
        assert.same({ 3, 3, "new" }, { try "w+" })
    end)

    it("a only writes, and appends", function()
        put "old"
        assert.same({ 3, -luring.EBADF, "" }, { try "a" })
        assert.equal("oldnew", drive.contents(path))
    end)

    it("a+ empties the file first", function()
        put "old"
        assert.same({ 3, -luring.EBADF, "" }, { try "a+" })
        assert.equal("new", drive.contents(path))
    end)

    it("r only reads", function()
        put "old"
        assert.same({ -luring.EBADF, 3, "old" }, { try "r" })
    end)

    it("is w without a mode, or with nil", function()
        put "old"
        assert.same({ 3, 6, "oldnew" }, { try(nil) })
        local fd = luring.open_file(path)
        assert.is_true(fd >= 0)
        luring.close_fd(fd)
    end)

    it("creates the file in all modes but r", function()
        for _, mode in ipairs { "w", "w+", "a", "a+" } do
            os.remove(path)
            luring.close_fd(luring.open_file(path, mode))
            assert.equal("", drive.contents(path), mode)
        end
        os.remove(path)
        assert.equal(-luring.ENOENT, luring.open_file(path, "r"))
        assert.is_nil(io.open(path))
    end)

    it("gives a new file the permissions 0664 less the umask", function()
        for mask, expected in pairs { [0] = 436, [18] = 420, [63] = 384 } do -- 0, 022, 077
            for _, mode in ipairs { "w", "w+", "a", "a+" } do
                os.remove(path)
                local before = host.umask(mask)
                local fd = luring.open_file(path, mode)
                host.umask(before)
                luring.close_fd(fd)
                assert.equal(expected, host.mode(path), mode)
            end
        end
    end)

    it("returns -errno when it fails", function()
        assert.equal(-luring.ENOENT, luring.open_file("/nowhere/file", "w"))
        assert.equal(-luring.EISDIR, luring.open_file("/", "w"))
        assert.equal(-luring.ENOENT, luring.open_file("", "w"))
        assert.equal(-luring.ENAMETOOLONG, luring.open_file(("x"):rep(5000), "w"))
        assert.equal(-luring.ENOTDIR, luring.open_file(path .. "/below", "w"))
    end)

    it("names its five modes when it is given another", function()
        for _, mode in ipairs { "", "x", "rw", "r+", "w++", "W", "w\0", "wb", "5" } do
            local ok, message = pcall(function()
                local fd = luring.open_file(path, mode)
                return fd
            end)
            assert.is_false(ok, mode)
            assert.truthy(message:find("bad argument #2 to 'open_file' (", 1, true), message)
            assert.truthy(message:find("w, w+, a, a+, r", 1, true), message)
        end
    end)

    it("takes no path with a zero byte", function()
        for _, wrong in ipairs { path .. "\0", path .. "\0/x", "\0" } do
            local ok, message = pcall(function()
                local fd = luring.open_file(wrong, "w")
                return fd
            end)
            assert.is_false(ok)
            assert.truthy(message:find("bad argument #1 to 'open_file' (", 1, true), message)
        end
    end)

    it("returns descriptor 0 where that is free", function()
        local result = child.run([[
            local luring = require "luring"
            assert(luring.close_fd(0) == 0)
            local fd = luring.open_file("/dev/null", "r")
            print(fd)
        ]])
        assert.equal("0\n", result.output)
        assert.equal(0, result.status)
    end)
end)

describe("close_fd", function()
    it("returns 0, or -errno", function()
        local fd = luring.open_file("/dev/null", "r")
        assert.equal(0, luring.close_fd(fd))
        assert.equal(-luring.EBADF, luring.close_fd(fd))
        assert.equal(-luring.EBADF, luring.close_fd(-1))
    end)
end)

describe("pipe2", function()
    it("makes two ends, the first to read from", function()
        local ring = luring.queue_init(4, 0)
        local from, to = luring.pipe2()
        assert.equal(3, (drive.one(ring, "write", to, "abc", -1)))
        assert.equal(-luring.EBADF, (drive.one(ring, "write", from, "abc", -1)))
        assert.same({ 3, "abc" }, { drive.one(ring, "read", from, 10, -1) })
        luring.close_fd(to)
        assert.same({ 0, "" }, { drive.one(ring, "read", from, 10, -1) })
        luring.close_fd(from)
        luring.queue_exit(ring)
    end)

    it("takes flags", function()
        local from, to = luring.pipe2(luring.O_NONBLOCK + luring.O_CLOEXEC)
        for _, fd in ipairs { from, to } do
            local flags = child.contents("/proc/self/fdinfo/" .. fd):match("flags:%s*(%d+)")
            assert.equal(luring.O_NONBLOCK + luring.O_CLOEXEC, tonumber(flags, 8) - (fd == to and 1 or 0))
        end
        drive.close(from, to)
    end)

    it("returns -errno alone", function()
        assert.same({ -luring.EINVAL }, { luring.pipe2(1) })
        local limit = host.limit(0)
        local result = { luring.pipe2() }
        host.limit(limit)
        assert.same({ -luring.EMFILE }, result)
    end)
end)

describe("strerror", function()
    it("is the C library's text", function()
        for _, errno in ipairs { 0, luring.EPERM, luring.ENOENT, luring.EAGAIN, 9999, -1, 2147483647 } do
            assert.equal(host.strerror(errno), luring.strerror(errno))
        end
        assert.equal(host.strerror(22), luring.strerror("22"))
        -- In these words by every one of them.
        assert.equal("No such file or directory", luring.strerror(luring.ENOENT))
    end)
end)
