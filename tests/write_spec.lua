local luring = require "luring"
local drive = require "drive"
local child = require "child"

describe("write", function()
    local ring, path, fd
    before_each(function()
        ring = luring.queue_init(64, 0)
        path = os.tmpname()
        fd = luring.open_file(path, "w+")
    end)
    after_each(function()
        luring.queue_exit(ring)
        luring.close_fd(fd)
        os.remove(path)
    end)

    it("writes all bytes, zero bytes too", function()
        local text = "Hello\0world\0\255\n"
        assert.equal(#text, (drive.one(ring, "write", fd, text, 0)))
        assert.equal(text, drive.contents(path))
    end)

    it("writes nothing when there is nothing", function()
        assert.equal(0, (drive.one(ring, "write", fd, "", 0)))
        assert.equal("", drive.contents(path))
    end)

    it("writes a number as its text", function()
        assert.equal(2, (drive.one(ring, "write", fd, 42, -1)))
        assert.equal("42", drive.contents(path))
    end)

    it("writes at the end of an appending file, whatever the offset", function()
        for _, offset in ipairs { 0, 100, -1, 0 } do
            assert.equal(2, (drive.one(ring, "write", fd, "ab", offset)))
        end
        assert.equal("abababab", drive.contents(path))
    end)

    it("starts at the offset, and -1 is the file's own position", function()
        -- All of open_file's modes that write append: so the shell opens this one.
        local result = child.run([[
            local luring = require "luring"
            local drive = require "drive"
            local ring = luring.queue_init(4, 0)
            for _, piece in ipairs { { "abc", 4 }, { "de", -1 }, { "f", 0 }, { "gh", -1 }, { "i", 2 ^ 33 } } do
                assert(drive.one(ring, "write", 9, piece[1], piece[2]) == #piece[1])
            end
            local _, start = drive.one(ring, "read", 9, 7, 0)
            local _, last = drive.one(ring, "read", 9, 10, 2 ^ 33 - 1)
            io.write(start, last)
        ]], "9<>" .. child.quote(path))
        assert.equal("feghabc\0i", result.output)
        assert.equal(0, result.status)
    end)

    it("brings -errno when it fails", function()
        local read_only = luring.open_file(path, "r")
        assert.equal(-luring.EBADF, (drive.one(ring, "write", read_only, "x", 0)))
        assert.equal(-luring.EBADF, (drive.one(ring, "write", -1, "x", 0)))
        local full = luring.open_file("/dev/full", "a")
        assert.equal(-luring.ENOSPC, (drive.one(ring, "write", full, "x", 0)))
        drive.close(read_only, full)
    end)

    it("keeps its content alive, whatever its size, until it is written", function()
        for _, size in ipairs { 1, 40, 64, 100, 1000, 8192, 100000 } do
            local expected = {}
            local file = luring.open_file(path, "w+")
            for i = 1, 50 do
                assert(luring.write(ring, file, (("%02d"):format(i)):rep(size), -1))
                expected[i] = (("%02d"):format(i)):rep(size)
            end
            expected = table.concat(expected)
            local sum = #expected
            expected = nil -- luacheck: ignore
            drive.collect()
            local garbage = {}
            for i = 1, 200 do garbage[i] = (("%03d"):format(i)):rep(size) end
            drive.turn(ring, 50)
            assert.equal(200, #garbage)
            local written = drive.contents(path)
            assert.equal(sum, #written)
            -- In whatever order the kernel wrote them.
            local counts, wrong = {}, 0
            for at = 1, #written, 2 * size do
                local piece = written:sub(at, at + 2 * size - 1)
                local head = piece:sub(1, 2)
                if piece ~= head:rep(size) then wrong = wrong + 1 end
                counts[head] = (counts[head] or 0) + 1
            end
            assert.equal(0, wrong)
            for i = 1, 50 do assert.equal(1, counts[("%02d"):format(i)], i) end
            luring.close_fd(file)
        end
    end)

    it("keeps its content alive until it is seen, and no longer", function()
        local from, to = drive.idle_pipe()
        drive.collect()
        local before = collectgarbage("count")
        -- Lua counts what `..` makes, and since 5.5 not what `rep` makes.
        local done
        local function queue()
            assert(luring.write(ring, to, ("x"):rep(4 * 1024 * 1024 - 1) .. "x", -1, function(cqe, res)
                luring.cqe_seen(ring, cqe)
                done = res
            end))
        end
        queue()
        luring.submit(ring)
        drive.collect()
        assert.is_true(collectgarbage("count") - before > 2500)
        while not done do
            local got, text = drive.one(ring, "read", from, 1024 * 1024, -1)
            assert.is_true(got > 0)
            assert.is_true(text == ("x"):rep(got))
        end
        assert.is_true(done > 0)
        drive.collect()
        assert.is_true(collectgarbage("count") - before < 1500)
        drive.close(from, to)
    end)
end)
