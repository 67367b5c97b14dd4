local luring = require "luring"
local drive = require "drive"
local host = require "host"

describe("a buffer", function()
    local ring, from, to
    before_each(function()
        ring = luring.queue_init(16, 0)
        from, to = drive.idle_pipe()
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(from, to)
    end)

    it("is zeros, as many as were asked for", function()
        for _, size in ipairs { 1, 5, 4096, 4097, 100000 } do
            local b = luring.buffer(size)
            assert.equal(size, #b)
            assert.equal(("\0"):rep(size), b:sub())
        end
    end)

    it("gives and takes bytes as strings do", function()
        local b = luring.buffer(10)
        b:set(1, "0123456789")
        b:set(3, "")
        b:set(11, "")
        for i = -12, 12 do
            assert.equal(("0123456789"):sub(i), b:sub(i))
            assert.equal(("0123456789"):sub(i), b:view(i):sub())
            for j = -12, 12 do
                assert.equal(("0123456789"):sub(i, j), b:sub(i, j))
                local view = b:view(i, j)
                assert.equal(#("0123456789"):sub(i, j), #view)
                assert.equal(("0123456789"):sub(i, j), view:sub())
            end
        end
        b:set(4, "abc")
        assert.equal("012abc6789", b:sub())
        assert.same({ 4, 6 }, { b:find("abc") })
        assert.same({ 8, 8 }, { b:find("7", -3) })
        assert.same({ 5, 4 }, { b:find("", 5) })
        assert.same({ 10, 10 }, { b:find("9", 10) })
        assert.is_nil(b:find("abc", 5))
        assert.is_nil(b:find("89\0"))
        assert.is_nil(b:find("9", 11))
        assert.same({ 11, 10 }, { b:find("", 11) })
        assert.same({ 1, 0 }, { b:find("", -20) })
        assert.is_nil(b:find("", 12))
        assert.is_nil(b:find("", 2 ^ 53))
    end)

    it("has large strings too", function()
        local b = luring.buffer(3000000)
        local text = ("0123456789"):rep(300000)
        b:set(1, text)
        assert.is_true(b:sub() == text)
        assert.same({ 2999991, 3000000 }, { b:find("0123456789", -10) })
    end)

    it("says what is wrong", function()
        local b = luring.buffer(10)
        local cases = {
            { luring.buffer, "must be between 1 and 4294967295", 0 },
            { luring.buffer, "must be between 1 and 4294967295", 2 ^ 32 },
            { luring.buffer, "number expected, got nil" },
            { luring.buffer, "number has no integer representation", 1.5 },
            { luring.buffer, "table expected, got boolean", 1, true },
            { luring.buffer, "unknown field 'share'", 1, { share = true } },
            { luring.buffer, "field 'shared' must be a boolean", 1, { shared = 1 } },
            { b.set, "must be between 1 and 11", b, 0, "x" },
            { b.set, "must be between 1 and 11", b, 12, "" },
            { b.set, "longer than the 2 bytes that are left", b, 9, "abc" },
            { b.set, "longer than the 0 bytes that are left", b, 11, "a" },
            { b.set, "string expected, got table", b, 1, {} },
            { b.sub, "number expected, got table", b, {} },
            { b.sub, "luring.buffer expected, got string", "text" },
            { b.sub, "luring.buffer expected, got luring", ring },
            { b.sub, "luring.buffer expected, got nil" },
            { b.find, "string expected, got nil", b },
            { b.view, "number has no integer representation", b, 1, 2.5 },
            { luring.read, "number expected, got table", ring, from, {}, -1 },
            { luring.read, "number expected, got luring", ring, from, ring, -1 },
            { luring.write, "string expected, got table", ring, to, {}, -1 },
        }
        for _, case in ipairs(cases) do
            local ok, message = pcall(case[1], (unpack or table.unpack)(case, 3, 6))
            assert.is_false(ok)
            assert.truthy(message:find(case[2], 1, true), message)
        end
        -- Nothing of this has changed it, or taken anything of the ring.
        assert.equal(("\0"):rep(10), b:sub())
        assert.equal(0, luring.submit(ring))
        assert.equal("luring.buffer", getmetatable(b))
        assert.truthy(tostring(b):find("^luring%.buffer: "))
    end)

    it("is read into, and given to the callback", function()
        local b = luring.buffer(100)
        drive.one(ring, "write", to, "hello", -1)
        local got
        luring.read(ring, from, b, -1, function(cqe, ...)
            luring.cqe_seen(ring, cqe)
            got = { n = select("#", ...), ... }
        end)
        drive.turn(ring)
        assert.equal(3, got.n)
        assert.equal(5, got[1])
        assert.is_true(rawequal(b, got[2]))
        assert.equal(0, got[3])
        assert.equal("hello" .. ("\0"):rep(95), b:sub())
        -- A failure gives it too: it is the program's again.
        local res, same = drive.one(ring, "read", -1, b, -1)
        assert.equal(-luring.EBADF, res)
        assert.is_true(rawequal(b, same))
        drive.close(from)
        from = luring.pipe2()
    end)

    it("is read into from a file of Lua's, which is kept too", function()
        local file = assert(io.tmpfile())
        file:write("hello")
        file:flush()
        local b, got = luring.buffer(100), nil
        luring.read(ring, file, b, 0, function(cqe, ...)
            luring.cqe_seen(ring, cqe)
            got = { n = select("#", ...), ... }
        end)
        drive.turn(ring)
        assert.same({ 3, 5, 0 }, { got.n, got[1], got[3] })
        assert.is_true(rawequal(b, got[2]))
        assert.equal("hello", b:sub(1, 5))
        file:close()
    end)

    it("is received into and sent from", function()
        local one, other = luring.socketpair()
        local b = luring.buffer(100)
        b:set(1, "0123456789")
        local arguments
        luring.send(ring, one, b:view(3, 6), 0, function(cqe, ...)
            luring.cqe_seen(ring, cqe)
            arguments = { n = select("#", ...), ... }
        end)
        drive.turn(ring)
        assert.same({ n = 3, 4, nil, 0 }, arguments)
        local view = b:view(51, 60)
        local res, same = drive.one(ring, "recv", other, view, 0)
        assert.equal(4, res)
        assert.is_true(rawequal(view, same))
        assert.equal("2345\0\0", view:sub(1, 6))
        assert.equal("2345", b:sub(51, 54))
        drive.close(one, other)
    end)

    it("goes on where a short read has ended", function()
        local b = luring.buffer(8)
        drive.one(ring, "write", to, "abc", -1)
        local res = drive.one(ring, "read", from, b, -1)
        drive.one(ring, "write", to, "defghijk", -1)
        local rest = drive.one(ring, "read", from, b:view(res + 1), -1)
        assert.equal(5, rest)
        assert.equal("abcdefgh", b:sub())
        assert.equal(0, (drive.one(ring, "read", from, b:view(9), -1)))
        assert.same({ 3, "ijk" }, { drive.one(ring, "read", from, 100, -1) })
    end)

    it("is never read where the kernel fills it, nor changed where it reads", function()
        local b = luring.buffer(100)
        luring.read(ring, from, b:view(11, 20), -1)
        for _, state in ipairs { "queued", "submitted" } do
            for _, case in ipairs { { 1, 11 }, { 11, 11 }, { 20, 20 }, { 20, 100 }, { 1, -1 }, { 15, 16 } } do
                assert.has_error(function() b:sub(case[1], case[2]) end,
                    "an action in flight is filling these bytes")
                assert.has_error(function() b:view(case[1], case[2]):find("x") end,
                    "an action in flight is filling these bytes")
                assert.has_error(function() b:view(case[1], case[2]):set(1, ("x"):rep(#b:view(case[1], case[2]))) end,
                    "an action in flight is filling these bytes")
            end
            assert.equal(("\0"):rep(10), b:sub(1, 10))
            assert.equal(("\0"):rep(80), b:sub(21))
            assert.equal("", b:sub(12, 11))
            b:set(1, ("x"):rep(10))
            b:set(1, ("\0"):rep(10))
            assert.is_nil(b:find("x", 21))
            if state == "queued" then luring.submit(ring) end
        end
        drive.one(ring, "write", to, "hello", -1)
        while luring.do_cqes(ring) and not pcall(b.sub, b) do drive.turn(ring) end
        assert.equal("hello", b:sub(11, 15))

        local much = luring.buffer(1000000)
        luring.write(ring, to, much, -1)
        luring.submit(ring)
        assert.has_error(function() much:set(1000000, "x") end, "an action in flight is reading these bytes")
        assert.equal("\0", much:sub(1000000))
        assert.is_nil(much:find("x"))
    end)

    it("is free again only when the completion has been seen", function()
        local b = luring.buffer(10)
        drive.one(ring, "write", to, "hello", -1)
        local calls = 0
        luring.read(ring, from, b, -1, function(cqe, _, same)
            calls = calls + 1
            assert.is_true(rawequal(b, same))
            if calls < 3 then return end
            assert.is_false(pcall(b.sub, b))
            luring.cqe_seen(ring, cqe)
            assert.equal("hello", b:sub(1, 5))
        end)
        drive.turn(ring)
        assert.equal(3, calls)
    end)

    it("may be in several actions at once", function()
        local b = luring.buffer(160)
        local ends = {}
        for i = 1, 10 do
            ends[i] = { luring.pipe2() }
            luring.read(ring, ends[i][1], b:view(16 * i - 15, 16 * i), -1)
        end
        luring.submit(ring)
        for _, i in ipairs { 5, 1, 10, 2, 9, 3, 4, 8, 7, 6 } do
            drive.one(ring, "write", ends[i][2], ("%16d"):format(i), -1)
            while not pcall(b.sub, b, 16 * i - 15, 16 * i) do drive.turn(ring, 0) end
            assert.equal(("%16d"):format(i), b:sub(16 * i - 15, 16 * i))
        end
        assert.equal(160, #b:sub())
        for i = 1, 10 do drive.close(ends[i][1], ends[i][2]) end
    end)

    it("outlives its collection while in flight", function()
        -- What is freed too early is another buffer's by the time it is written.
        local freed = 0
        local function sentinel() return drive.finalizer(function() freed = freed + 1 end) end
        luring.read(ring, from, luring.buffer(4096):view(), -1)
        luring.submit(ring)
        local _ = sentinel()
        _ = nil
        drive.collect()
        assert.equal(1, freed)
        local others = {}
        for i = 1, 50 do others[i] = luring.buffer(4096) end
        drive.one(ring, "write", to, ("x"):rep(4096), -1)
        drive.turn(ring, 0)
        for i = 1, 50 do assert.equal(("\0"):rep(4096), others[i]:sub()) end
    end)

    it("brings what was read to its callback, though nobody else has it", function()
        local got
        luring.read(ring, from, luring.buffer(4096):view(100), -1, function(cqe, res, view)
            luring.cqe_seen(ring, cqe)
            got = view:sub(1, res)
        end)
        luring.submit(ring)
        drive.collect()
        luring.buffer(4096):set(1, ("x"):rep(4096))
        drive.one(ring, "write", to, "hello", -1)
        drive.turn_until(ring, function() return got end)
        assert.equal("hello", got)
    end)

    it("is kept by its views", function()
        local view
        do
            local b = luring.buffer(100000)
            b:set(50000, "kept")
            view = b:view(50000)
        end
        drive.collect()
        local other = luring.buffer(100000)
        other:set(1, ("x"):rep(100000))
        assert.equal("kept\0", view:view(1, 5):sub())
    end)

    it("is free again when its ring has been exited", function()
        local b = luring.buffer(100)
        luring.read(ring, from, b, -1)
        luring.submit(ring)
        luring.read(ring, from, b, -1)
        assert.is_false(pcall(b.sub, b))
        luring.queue_exit(ring)
        assert.equal(("\0"):rep(100), b:sub())
        b:set(1, "x")
        -- The kernel is done with it, too.
        local other = luring.queue_init(4, 0)
        drive.one(other, "write", to, "hello", -1)
        assert.equal("x\0", b:sub(1, 2))
        luring.queue_exit(other)
    end)

    it("and its ring go in any order, at the end of a state too", function()
        local ends = {
            "", "ring = nil", "b = nil", "ring = nil b = nil", "luring.queue_exit(ring) b = nil", "error(0, 0)",
            "b = nil collectgarbage() collectgarbage() ring = nil",
        }
        local begin = [[
            local luring = require "luring"
            local function run(ring, b)
                %s
                collectgarbage() collectgarbage()
            end
            %s
        ]]
        local orders = {
            "local b = luring.buffer(100000) local ring = luring.queue_init(8, 0)",
            "local ring = luring.queue_init(8, 0) local b = luring.buffer(100000)",
        }
        local use = [[
            local from, to = luring.pipe2()
            luring.write(ring, to, ("x"):rep(65536), -1)
            luring.submit_and_wait(ring, 1)
            luring.read(ring, luring.pipe2(), b:view(1, 50000), -1, print)
            luring.write(ring, to, b:view(50001), -1, print)
            luring.submit(ring)
            luring.read(ring, luring.pipe2(), b:view(1, 50000), -1, print)
        ]]
        for _, order in ipairs(orders) do
            for _, ending in ipairs(ends) do
                local free = drive.idle_pipe()
                drive.close(free, free + 1)
                host.state(begin:format(ending, order .. use .. "run(ring, b)"))
                for fd = free, free + 10 do drive.close(fd) end
            end
        end
    end)

    it("that is finalized before its ring stays while it is in flight", function()
        -- At a state's end the younger is finalized first: the buffer, what tells, the ring.
        local path = os.tmpname()
        local result = host.state(([[
            local luring = require "luring"
            local ring = luring.queue_init(8, 0)
            local from, to = luring.pipe2()
            local others = {}
            local function tell()
                collectgarbage("stop") -- what the state has is being freed
                for i = 1, 20 do others[i] = ("y"):rep(1000000 - i) end -- in its place, if it has gone
                luring.write(ring, to, ("x"):rep(4096), -1)
                luring.submit_and_wait(ring, 2)
                local wrong = 0
                for i = 1, 20 do if others[i]:find("x") then wrong = wrong + 1 end end
                local file = io.open("%s", "w")
                file:write(wrong)
                file:close()
                luring.close_fd(from)
                luring.close_fd(to)
            end
            if newproxy then
                KEPT = newproxy(true)
                getmetatable(KEPT).__gc = tell
            else
                KEPT = setmetatable({}, { __gc = tell })
            end
            luring.read(ring, from, luring.buffer(1000000), -1)
            luring.submit(ring)
        ]]):format(path))
        assert.is_nil(result)
        assert.equal("0", drive.contents(path))
        os.remove(path)
    end)

    it("may be used by finalizers, whatever is finalized before", function()
        local result = host.state([[
            local luring = require "luring"
            local results = {}
            local function late(f)
                if newproxy then
                    local proxy = newproxy(true)
                    getmetatable(proxy).__gc = f
                    return proxy
                end
                return setmetatable({}, { __gc = f })
            end
            local b
            KEPT = { late(function() pcall(b.sub, b) pcall(b.set, b, 1, "x") pcall(b.view, b) tostring(b) end) }
            b = luring.buffer(100000)
            KEPT[2] = b
            KEPT[3] = late(function() assert(#b == 100000) b:set(1, "x") assert(b:sub(1, 1) == "x") end)
        ]])
        assert.is_nil(result)
    end)

    it("of a lot of garbage is collected in time", function()
        local resident = drive.resident -- with the garbage
        drive.collect()
        local before, text = resident(), ("x"):rep(1000000)
        for _ = 1, 400 do luring.buffer(1000000):set(1, text) end
        assert.is_true(resident() - before < 200000)
        local zeros = luring.open_file("/dev/zero", "r")
        for _ = 1, 400 do drive.one(ring, "read", zeros, luring.buffer(1000000), 0) end
        assert.is_true(resident() - before < 200000)
        drive.close(zeros)
    end)

    it("is a page's beginning", function()
        local path = os.tmpname()
        local file = io.open(path, "wb")
        file:write(("0123456789abcdef"):rep(1024))
        file:close()
        local fd = luring.open_file(path, "r")
        local b = luring.buffer(16384)
        assert.equal(16384, (drive.one(ring, "read", fd, b, 0)))
        assert.equal(("0123456789abcdef"):rep(1024), b:sub())
        drive.close(fd)
        os.remove(path)
    end)
end)

describe("a shared buffer", function()
    it("has words, from 0 to 2^32-1", function()
        local b = luring.buffer(18, { shared = true })
        assert.equal(0, b:load32(4))
        b:store32(2, 2 ^ 32 - 1)
        assert.equal(2 ^ 32 - 1, b:load32(2))
        assert.equal(("\0"):rep(4) .. ("\255"):rep(4) .. ("\0"):rep(10), b:sub())
        b:store32(2, -2)
        assert.equal(2 ^ 32 - 2, b:load32(2))
        assert.equal(2 ^ 32 - 2, b:add32(2, 3))
        assert.equal(1, b:add32(2, -2))
        assert.equal(2 ^ 32 - 1, b:load32(2))
        assert.same({ true, 2 ^ 32 - 1 }, { b:cas32(2, -1, 7) })
        assert.same({ false, 7 }, { b:cas32(2, 8, 9) })
        assert.equal(7, b:load32(2))
        assert.equal(7, b:view(5):load32(1))
    end)

    it("says what is wrong with a word", function()
        local b = luring.buffer(18, { shared = true })
        local own = luring.buffer(18, { shared = false })
        local cases = {
            { b.load32, "must be between 1 and 4", b, 5 },
            { b.load32, "must be between 1 and 4", b, 0 },
            { b.load32, "must be between 1 and 3", b:view(5), 4 },
            { b.load32, "shorter than a word", b:view(1, 3), 1 },
            { b.load32, "the view does not begin at a word", b:view(2), 1 },
            { own.load32, "only a shared buffer has words", own, 1 },
            { b.store32, "must be between -2147483648 and 4294967295", b, 1, 2 ^ 32 },
            { b.add32, "number expected, got nil", b, 1 },
            { b.cas32, "number expected, got nil", b, 1, 0 },
        }
        for _, case in ipairs(cases) do
            local ok, message = pcall(case[1], case[3], case[4], case[5], nil)
            assert.is_false(ok)
            assert.truthy(message:find(case[2], 1, true), message)
        end
    end)

    it("is one memory in a forked child, and another is not", function()
        for _, shared in ipairs { true, false } do
            local b = luring.buffer(100000, { shared = shared })
            local pid = host.fork()
            if pid == 0 then
                b:set(99996, "child")
                if shared then
                    for _ = 1, 100000 do b:add32(1, 1) end
                    repeat local done = b:cas32(2, 1, 2) until done
                end
                host.exit(b:sub(99996) == "child" and 0 or 1)
            end
            if shared then
                for _ = 1, 100000 do b:add32(1, 1) end
                b:store32(2, 1)
            end
            assert.equal(0, host.wait(pid))
            if shared then
                assert.equal(200000, b:load32(1))
                assert.equal(2, b:load32(2))
            end
            assert.equal(shared and "child" or ("\0"):rep(5), b:sub(99996))
        end
    end)

    it("is a child's own to let go of", function()
        local b = luring.buffer(4096, { shared = true })
        b:set(1, "parent")
        local pid = host.fork()
        if pid == 0 then
            b = nil
            drive.collect()
            host.exit(0)
        end
        assert.equal(0, host.wait(pid))
        assert.equal("parent", b:sub(1, 6))
    end)

    it("can be read and changed while it is in flight", function()
        local ring = luring.queue_init(8, 0)
        local from, to = drive.idle_pipe()
        local b = luring.buffer(200000, { shared = true })
        luring.read(ring, from, b, -1)
        luring.submit(ring)
        b:set(200000, "x")
        assert.equal("\0x", b:sub(-2))
        assert.equal(200000, #b:sub())
        assert.same({ 200000, 200000 }, { b:find("x") })
        luring.queue_exit(ring)
        drive.close(from, to)
    end)

    it("of a child that exits its parent's ring stays the parent's", function()
        local ring = luring.queue_init(8, 0)
        local from, to = drive.idle_pipe()
        for _, shared in ipairs { true, false } do
            local b = luring.buffer(100, { shared = shared })
            luring.read(ring, from, b, -1)
            luring.submit(ring)
            local pid = host.fork()
            if pid == 0 then
                luring.queue_exit(ring)
                b = nil
                drive.collect()
                host.exit(0)
            end
            assert.equal(0, host.wait(pid))
            luring.write(ring, to, "hello", -1)
            drive.turn(ring, 2)
            assert.equal("hello", b:sub(1, 5))
        end
        luring.queue_exit(ring)
        drive.close(from, to)
    end)
end)
