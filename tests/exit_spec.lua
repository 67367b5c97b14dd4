local luring = require "luring"
local child = require "child"
local drive = require "drive"
local host = require "host"

-- The descriptor that the next file gets.
local function next_descriptor()
    local fd = luring.open_file("/dev/null", "r")
    luring.close_fd(fd)
    return fd
end

-- The address space in use when garbage has gone, in KiB.
local function mapped()
    drive.collect()
    return drive.mapped()
end

-- A ring with a read in flight, and its descriptor.
local function busy_ring(from, size)
    local fd = next_descriptor()
    local ring = luring.queue_init(8, 0)
    luring.read(ring, from, size or 100, -1)
    assert.equal(1, luring.submit(ring))
    return ring, fd
end

describe("a ring's descriptor", function()
    local from, to
    before_each(function() from, to = drive.idle_pipe() end)
    after_each(function() drive.close(from, to) end)

    it("is none that close_fd closes", function()
        local ring, fd = busy_ring(from)
        for _ = 1, 2 do assert.equal(-luring.EBADF, luring.close_fd(fd)) end
        assert.equal(5, (drive.one(ring, "write", to, "still", -1)))
        luring.queue_exit(ring)
        assert.equal(fd, luring.open_file("/dev/null", "r"))
        assert.equal(0, luring.close_fd(fd))
    end)

    it("may be closed by others: the ring can be exited", function()
        local ring, fd = busy_ring(from)
        assert.equal(0, host.close(fd))
        luring.queue_exit(ring)
    end)

    it("may be another ring's by then, which nothing happens to", function()
        local ring, fd = busy_ring(from)
        local source, sink = drive.idle_pipe()
        local group = luring.buf_ring(ring, 4, 64)
        assert.equal(0, host.close(fd))
        local other, got = luring.queue_init(8, 0), nil
        assert.equal(-luring.EBADF, luring.close_fd(fd), "the new ring's own")
        luring.read(other, source, 100, -1, function(cqe, _, result)
            luring.cqe_seen(other, cqe)
            got = result
        end)
        assert.equal(1, luring.submit(other))
        assert.equal(-luring.EBADF, luring.ring_fd(ring))
        assert.equal(-luring.EBADF, luring.register_personality(ring))
        if type(group) == "userdata" then
            assert.equal(-luring.EBADF, luring.buf_ring(ring, 4, 64))
            assert.equal(-luring.EBADF, group:close())
            local others = luring.buf_ring(other, 4, 64)
            assert.equal(0, others:close())
        end
        luring.queue_exit(ring)
        assert.equal(-luring.EAGAIN, luring.do_cqes(other))
        assert.is_nil(got)
        drive.one(other, "write", sink, "alive", -1)
        while not got do drive.turn(other) end
        assert.equal("alive", got)
        luring.queue_exit(other)
        drive.close(source, sink)
    end)

    it("may be another ring's by then, whose groups are its own", function()
        local one, two = luring.socketpair()
        local fd = next_descriptor()
        local ring = luring.queue_init(8, 0)
        local group = luring.buf_ring(ring, 4, 64)
        if type(group) == "number" then return pending "this kernel has no groups" end
        assert.equal(0, host.close(fd))
        local other = luring.queue_init(8, 0)
        local others = luring.buf_ring(other, 4, 64)
        others:manual(true)
        assert.equal(3, (drive.one(other, "send", one, "abc", 0)))
        local _, view = drive.one(other, "recv", two, others, 0)
        assert.equal("abc", view:sub())
        assert.equal(3, others:available())
        assert.equal(4, group:available())
        luring.queue_exit(other)
        luring.queue_exit(ring)
        drive.close(one, two)
    end)

    it("may be another file's by then, which stays open", function()
        local ring, fd = busy_ring(from)
        assert.equal(0, host.close(fd))
        assert.equal(fd, luring.open_file("/dev/null", "r"))
        luring.queue_exit(ring)
        assert.equal(0, luring.close_fd(fd))
    end)

    it("may be closed by others: what a ring takes of memory goes all the same", function()
        if child.wrapper ~= "" then return pending("a checker has memory of its own") end
        local function lose(n)
            for _ = 1, n do
                local fd = next_descriptor()
                local ring = luring.queue_init(4096, 0)
                luring.read(ring, from, 100, -1)
                luring.submit(ring)
                assert.equal(0, host.close(fd))
                luring.queue_exit(ring)
            end
        end
        lose(20)
        local before = mapped()
        lose(200)
        local grown = mapped() - before
        assert.is_true(grown <= 1024, ("%d KiB more"):format(grown))
    end)

    it("may be closed by others: what the kernel may still read is kept", function()
        local function left(lose)
            local one, other = luring.socketpair()
            local before = mapped()
            local fd = next_descriptor()
            local ring = luring.queue_init(8, 0)
            luring.send(ring, one, ("x"):rep(40 * 2 ^ 20), luring.MSG_WAITALL)
            assert.equal(1, luring.submit(ring))
            if lose then assert.equal(0, host.close(fd)) end
            luring.queue_exit(ring)
            ring = nil -- luacheck: ignore
            local grown = mapped() - before
            drive.close(one, other)
            return grown
        end
        -- Now and then Lua keeps what it made strings with, or the C library gives back what other specs
        -- have left: one time out of a few there is only what is looked for.
        local least, most = math.huge, -math.huge
        for _ = 1, 6 do least = math.min(least, left(false)) end
        assert.is_true(least < 20 * 1024, ("%d KiB"):format(least))
        for _ = 1, 4 do
            most = math.max(most, left(true))
            if most >= 40 * 1024 then break end
        end
        assert.is_true(most >= 40 * 1024, ("%d KiB"):format(most))
    end)

    it("is not one of the standard streams", function()
        local path = os.tmpname()
        local file = io.open(path, "w")
        file:write([[
            local luring = require "luring"
            local function opens_all()
                for fd = 0, 2 do
                    if luring.open_file("/dev/null", "r") ~= fd then return false end
                end
                return true
            end
            if not opens_all() then os.exit(8) end
            for fd = 0, 2 do luring.close_fd(fd) end
            local ring = luring.queue_init(4, 0)
            if not opens_all() then os.exit(3) end
            local from, to = luring.pipe2()
            local bytes
            luring.write(ring, to, "hello", -1, function(cqe, res)
                luring.cqe_seen(ring, cqe)
                bytes = res
            end)
            luring.submit_and_wait(ring, 1)
            luring.do_cqes(ring)
            luring.queue_exit(ring)
            os.exit(from > 2 and bytes == 5 and 7 or 4)
        ]])
        file:close()
        local result = child.shell(("exec %s <&- >&- 2>&-"):format(child.command(path)))
        os.remove(path)
        if result.status == 8 then return pending("this interpreter opens them itself") end
        assert.equal(7, result.status, result.output)
    end)
end)

describe("a ring that the kernel does not end", function()
    it("is given up, where nothing tells it from the one that has its descriptor", function()
        local preload = child.compile("same_inode.c", "same_inode.so", "-shared -fPIC")
        if not child.preload(preload) then return pending("a sanitizer is loaded") end
        for _, reads in ipairs { 1, 20 } do -- the queue has room for the cancellations, or not
            local result = child.run(([[
                local luring = require "luring"
                local host = package.loadlib(%q, "luaopen_host")()
                local from, to = luring.pipe2()
                local fd = luring.open_file("/dev/null", "r")
                luring.close_fd(fd)
                local ring = luring.queue_init(4, 0)
                for _ = 1, %d do
                    luring.read(ring, from, 100, -1)
                    assert(luring.submit(ring) == 1)
                end
                assert(host.close(fd) == 0)
                local other = luring.queue_init(4, 0)
                assert(luring.close_fd(fd) == -luring.EBADF)
                luring.queue_exit(ring)
                io.write("done")
            ]]):format(host.path, reads), child.preload(preload))
            assert.equal("done", result.output)
            assert.equal(0, result.status)
        end
    end)
end)

describe("a ring that ends where a callback could not be called, for want of C stack", function()
    -- What brings descriptors, and those of what it gives that are one.
    local listener, one, other
    before_each(function()
        listener = luring.tcp_listen({ family = luring.AF_INET, addr = "127.0.0.1", port = 0 })
        one, other = luring.socketpair()
    end)
    after_each(function() drive.close(listener, one, other) end)

    local kinds = {
        accept = function(ring, got)
            local client = luring.tcp_connect(luring.getsockname(listener))
            luring.accept(ring, listener, 0, function(cqe, fd) got(cqe, fd) end)
            return client
        end,
        openat = function(ring, got)
            luring.openat(ring, luring.AT_FDCWD, "/dev/null", 0, 0, function(cqe, fd) got(cqe, fd) end)
        end,
        recvmsg = function(ring, got)
            luring.sendmsg(ring, one, { data = "x", fds = { one, one } }, 0)
            luring.recvmsg(ring, other, { size = 1, control = 64 }, 0, function(cqe, _, message)
                got(cqe, message.fds[1], message.fds[2])
            end)
        end,
    }
    for kind, queue in pairs(kinds) do
        it("closes what came: " .. kind, function()
            local before = drive.descriptors()
            local came, client
            drive.reap_deep(function()
                local ring = luring.queue_init(4, 0)
                came = {}
                client = queue(ring, function(cqe, ...)
                    came = { ... }
                    luring.cqe_seen(ring, cqe)
                end)
                luring.submit_and_wait(ring, kind == "recvmsg" and 2 or 1)
                return ring
            end, function(ring)
                luring.queue_exit(ring)
                came[#came + 1] = client
                for _, fd in ipairs(came) do luring.close_fd(fd) end
            end)
            assert.equal(before, drive.descriptors())
        end)
    end
end)

describe("a ring whose queue is full", function()
    it("can be exited with a thread of the kernel's that takes from it", function()
        for _ = 1, 5 do
            local from, to = drive.idle_pipe()
            local ring = luring.queue_init(4, luring.IORING_SETUP_SQPOLL)
            for _ = 1, 12 do
                if not luring.read(ring, from, 100, -1) then luring.submit(ring) end
            end
            while luring.read(ring, from, 100, -1) do end
            luring.queue_exit(ring)
            drive.close(from, to)
        end
    end)

    it("can be exited with an action that all others wait for", function()
        local ring = luring.queue_init(8, 0)
        if not luring.can("sync_cancel") then return pending("this kernel has no sync_cancel") end
        local from, to = drive.idle_pipe()
        local before = mapped()
        local key = luring.read(ring, from, luring.buffer(64 * 1024 * 1024), -1)
        luring.sqe_set_flags(ring, key, luring.IOSQE_IO_DRAIN)
        assert.equal(1, luring.submit(ring))
        luring.queue_exit(ring)
        drive.close(from, to)
        local kept = mapped() - before
        assert.is_true(kept < 32 * 1024, ("%d KiB are kept for what has not ended"):format(kept))
    end)

    it("is not made disabled, since nothing enables it", function()
        local ok, message = pcall(luring.queue_init, 4, 64)
        assert.is_false(ok)
        assert.truthy(message:find("flags 0x40 are not known", 1, true), message)
    end)
end)
