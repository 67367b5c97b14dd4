local luring = require "luring"
local drive = require "drive"

describe("read", function()
    local ring, path, fd
    before_each(function()
        ring = luring.queue_init(64, 0)
        path = os.tmpname()
        local file = io.open(path, "wb")
        file:write("Hello, world!\n")
        file:close()
        fd = luring.open_file(path, "r")
    end)
    after_each(function()
        luring.queue_exit(ring)
        luring.close_fd(fd)
        os.remove(path)
    end)

    it("brings exactly the bytes it says", function()
        for _, size in ipairs { 14, 15, 64, 65, 4096, 4097, 1000000 } do
            local res, result = drive.one(ring, "read", fd, size, 0)
            assert.equal(14, res)
            assert.equal("Hello, world!\n", result)
        end
        local res, result = drive.one(ring, "read", fd, 5, 0)
        assert.equal(5, res)
        assert.equal("Hello", result)
    end)

    it("brings none of an earlier read's bytes", function()
        local from, to = luring.pipe2()
        for _, text in ipairs { ("x"):rep(4096), "short", "", "y", ("z"):rep(100) } do
            if text ~= "" then
                drive.one(ring, "write", to, text, -1)
                local res, result = drive.one(ring, "read", from, 4096, -1)
                assert.equal(#text, res)
                assert.equal(text, result)
            else
                local res, result = drive.one(ring, "read", fd, 4096, 14)
                assert.equal(0, res)
                assert.equal("", result)
            end
        end
        drive.close(from, to)
    end)

    it("brings zero bytes too", function()
        local from, to = luring.pipe2()
        local text = "a\0b\0\0c"
        drive.one(ring, "write", to, text, -1)
        local _, result = drive.one(ring, "read", from, 100, -1)
        assert.equal(text, result)
        drive.close(from, to)
    end)

    it("starts at the offset, and -1 is the file's own position", function()
        assert.same({ 6, "world!" }, { drive.one(ring, "read", fd, 6, 7) })
        assert.same({ 5, "Hello" }, { drive.one(ring, "read", fd, 5, -1) })
        assert.same({ 2, ", " }, { drive.one(ring, "read", fd, 2, -1) })
        assert.same({ 5, "Hello" }, { drive.one(ring, "read", fd, 5, 0) })
        assert.same({ 7, "world!\n" }, { drive.one(ring, "read", fd, 100, -1) })
        assert.same({ 0, "" }, { drive.one(ring, "read", fd, 100, -1) })
        assert.same({ 0, "" }, { drive.one(ring, "read", fd, 100, 2 ^ 40) })
    end)

    it("of size 0 brings the empty string", function()
        assert.same({ 0, "" }, { drive.one(ring, "read", fd, 0, 0) })
    end)

    it("brings -errno and the empty string when it fails", function()
        local directory = luring.open_file("/", "r")
        local write_only = luring.open_file(path, "a")
        assert.same({ -luring.EBADF, "" }, { drive.one(ring, "read", -1, 100, 0) })
        assert.same({ -luring.EBADF, "" }, { drive.one(ring, "read", 2147483647, 100, 0) })
        assert.same({ -luring.EBADF, "" }, { drive.one(ring, "read", write_only, 100, 0) })
        assert.same({ -luring.EISDIR, "" }, { drive.one(ring, "read", directory, 100, 0) })
        assert.same({ -luring.EINVAL, "" }, { drive.one(ring, "read", fd, 100, -2) })
        drive.close(directory, write_only)
    end)

    it("of every size around the buffers' sizes brings what is there", function()
        -- A read of /dev/zero may be cut short by a signal; one of a cached file is not.
        local whole = ("0123456789abcdef"):rep(65537)
        local big = os.tmpname()
        local file = io.open(big, "wb")
        file:write(whole)
        file:close()
        local source = luring.open_file(big, "r")
        for _, size in ipairs { 1, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097, 65536, 1048577 } do
            local res, result = drive.one(ring, "read", source, size, 0)
            assert.equal(size, res)
            assert.is_true(result == whole:sub(1, size))
        end
        luring.close_fd(source)
        os.remove(big)
    end)

    it("keeps many results apart", function()
        local big = os.tmpname()
        local file = io.open(big, "wb")
        for i = 1, 64 do file:write((("%08d"):format(i)):rep(1024)) end
        file:close()
        local source = luring.open_file(big, "r")
        local results = {}
        for _ = 1, 10 do
            for i = 1, 64 do
                assert(luring.read(ring, source, 8192, (i - 1) * 8192, function(cqe, res, result)
                    luring.cqe_seen(ring, cqe)
                    results[i] = { res, result }
                end))
            end
            drive.turn(ring, 64)
            for i = 1, 64 do
                assert.equal(8192, results[i][1])
                assert.is_true(results[i][2] == (("%08d"):format(i)):rep(1024), i)
            end
        end
        luring.close_fd(source)
        os.remove(big)
    end)

    it("takes numeric strings and whole floats, as Lua does", function()
        assert.same({ 5, "Hello" }, { drive.one(ring, "read", tostring(fd), "5", "0") })
        assert.same({ 5, "world" }, { drive.one(ring, "read", fd + 0.0, 5.0, "0x7") })
        assert.same({ 5, "world" }, { drive.one(ring, "read", fd, " 5 ", "7e0") })
    end)
end)
