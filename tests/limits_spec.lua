local co = require "luring.co"
local luring = require "luring"
local child = require "child"
local drive = require "drive"
local host = require "host"

local ANY = { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }

-- Calls `f` where not one descriptor more can be had.
local function without_descriptors(f)
    local fd = luring.open_file("/dev/null", "r")
    luring.close_fd(fd)
    local limit = host.limit(fd)
    local ok, message = pcall(f)
    host.limit(limit)
    if not ok then error(message, 0) end
end

describe("where no descriptor is left", function()
    local ring, server, client, before
    before_each(function()
        before = drive.descriptors()
        ring = luring.queue_init(16, 0)
        server = luring.tcp_listen(ANY)
        client = nil
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(server, client)
        assert.equal(before, drive.descriptors())
    end)

    it("every function that makes one says so, and nothing is left open", function()
        local all = {
            pipe2 = {}, socketpair = {}, eventfd = {}, timerfd_create = {}, inotify_init = {}, epoll_create1 = {},
            open_file = { "/dev/null", "r" }, tcp_listen = { ANY }, udp_bind = { ANY },
            tcp_connect = { luring.getsockname(server) }, socket_fd = { luring.AF_INET, luring.SOCK_STREAM },
            getaddrinfo = { "localhost" }, readdir = { "/" },
        }
        without_descriptors(function()
            for name, arguments in pairs(all) do
                assert.equal(-luring.EMFILE, luring[name]((unpack or table.unpack)(arguments)), name)
            end
        end)
    end)

    it("every action that makes one says so", function()
        local all = {
            open = { "/dev/null", luring.O_RDONLY, 0 },
            openat = { luring.AT_FDCWD, "/dev/null", luring.O_RDONLY, 0 },
            openat2 = { luring.AT_FDCWD, "/dev/null", { flags = luring.O_RDONLY } },
        }
        if drive.has "socket" then all.socket = { luring.AF_INET, luring.SOCK_STREAM, 0, 0 } end
        without_descriptors(function()
            for name, arguments in pairs(all) do
                assert.equal(-luring.EMFILE, (drive.one(ring, name, (unpack or table.unpack)(arguments))), name)
            end
        end)
    end)

    for _, name in ipairs { "accept", "accept_from", "accept_multishot" } do
        it(name .. " says so, and the connection can still be had", function()
            if not drive.has(name) then return pending("this liburing has none") end
            client = luring.tcp_connect(luring.getsockname(server))
            without_descriptors(function()
                assert.equal(-luring.EMFILE, (drive.one(ring, name, server, 0)))
            end)
            -- The kernel may have taken it from the queue: then its end is what the peer sees.
            local other = luring.tcp_connect(luring.getsockname(server))
            local fd = drive.one(ring, "accept", server, 0)
            assert.is_true(fd >= 0)
            drive.close(fd, other)
        end)
    end

    it("a message comes without the descriptors that it brings", function()
        local one, other = luring.socketpair()
        assert.equal(1, (drive.one(ring, "sendmsg", one, { data = "x", fds = { one, other } }, 0)))
        without_descriptors(function()
            local res, message = drive.one(ring, "recvmsg", other, { size = 10, control = 64 }, 0)
            assert.equal(1, res)
            assert.equal("x", message.data)
            assert.is_true(luring.has(message.flags, luring.MSG_CTRUNC))
            assert.equal(0, #(message.fds or {}))
        end)
        drive.close(one, other)
    end)

    it("tasks get nil and the error, and go on", function()
        local results, never = {}, os.tmpname()
        os.remove(never)
        local host_name, port = "127.0.0.1", luring.getsockname(server).port
        co.run(function()
            co.sleep(0)
            without_descriptors(function() end) -- as it is here, on every Lua
            local fd = luring.open_file("/dev/null", "r")
            luring.close_fd(fd)
            local limit = host.limit(fd)
            results.connect = { co.connect(host_name, port) }
            results.listen = { co.listen(host_name, 0) }
            results.open = { co.open("/dev/null") }
            results.read_file = { co.read_file("/dev/null") }
            results.write_file = { co.write_file(never, "x", { atomic = true }) }
            results.process = { co.process { "true", stdout = "pipe" } }
            results.capture = { co.capture { "true" } }
            results.resolve = { co.resolve "localhost" }
            host.limit(limit)
            local one, other = luring.socketpair()
            one, other = co.stream(one), co.stream(other)
            one:write("on\n")
            results.line = other:line()
        end)
        assert.equal("on", results.line)
        results.line = nil
        for name, result in pairs(results) do
            assert.is_nil(result[1], name)
            assert.equal(luring.EMFILE, result[3], name .. ": " .. tostring(result[2]))
        end
        assert.is_nil(io.open(never))
    end)
end)

describe("where no memory may be locked", function()
    it("a ring works, or says why not; tables of buffers are refused", function()
        local before = "setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock"
        if child.shell(before .. " true").status ~= 0 then return pending("there is no setpriv") end
        local result = child.run([[
            local luring = require "luring"
            local ok, ring = pcall(luring.queue_init, 8, 0)
            if not ok then -- before Linux 5.12
                assert(ring:find("limit on locked memory", 1, true), ring)
                return io.write("refused")
            end
            local buffer = luring.buffer(2 ^ 20)
            assert(luring.register_buffers(ring, { buffer }) == -luring.ENOMEM)
            assert(luring.register_buffers(ring, { false, buffer }) == -luring.ENOMEM)
            local group = luring.can "buf_ring" and luring.buf_ring(ring, 4, 4096)
            assert(not group or group == -luring.ENOMEM or group:available() == 4)
            local from, to = luring.pipe2()
            local got
            luring.write(ring, to, "works", -1)
            luring.read(ring, from, buffer, -1, function(cqe, res)
                luring.cqe_seen(ring, cqe)
                got = res
            end)
            while not got do
                luring.submit_and_wait(ring, 1)
                luring.do_cqes(ring)
            end
            assert(got == 5 and buffer:sub(1, 5) == "works")
            luring.queue_exit(ring)
            io.write("works")
        ]], "sh -c 'ulimit -l 0; exec \"$@\"' sh " .. before)
        assert.truthy(result.output == "works" or result.output == "refused", result.output)
        assert.equal(0, result.status)
    end)
end)

describe("where the disk is full", function()
    it("what went before is told of, and what was there stays", function()
        local folder = os.tmpname()
        os.remove(folder)
        local path = os.tmpname()
        local file = io.open(path, "w")
        file:write(([[
            local luring, co = require "luring", require "luring.co"
            local folder = %q .. "/"
            local ring = luring.queue_init(8, 0)
            local function one(name, ...)
                local args, n, got = { ... }, select("#", ...) + 1, nil
                args[n] = function(cqe, res)
                    luring.cqe_seen(ring, cqe)
                    got = res
                end
                assert(luring[name](ring, (unpack or table.unpack)(args, 1, n)))
                while not got do
                    luring.submit_and_wait(ring, 1)
                    luring.do_cqes(ring)
                end
                return got
            end
            local full, much = -luring.ENOSPC, ("0123456789"):rep(50000)
            co.run(function()
                assert(co.write_file(folder .. "old", "old contents"))
                local fd = luring.open_file(folder .. "file", "w+")
                local written = one("write", fd, much, 0)
                assert(written > 0 and written < #much, written)
                assert(one("write", fd, much, written) == full)
                assert(one("writev", fd, { "x", "y" }, #much, 0) == full)
                assert(one("fallocate", fd, 0, 0, 10 ^ 6) == full)
                assert(co.read_file(folder .. "file") == much:sub(1, written), "other bytes")
                for _, options in ipairs { {}, { atomic = true }, { sync = true } } do
                    local done, message, errno = co.write_file(folder .. "new", much, options)
                    assert(done == nil and errno == luring.ENOSPC, message)
                end
                local done, _, errno = co.write_file(folder .. "old", much, { atomic = true })
                assert(done == nil and errno == luring.ENOSPC)
                assert(co.read_file(folder .. "old") == "old contents")
                local stream = assert(co.open(folder .. "file", "a"))
                done, _, errno = stream:write("x")
                assert(done == nil and errno == luring.ENOSPC)
                stream:close()
                luring.close_fd(fd)
                -- With room again it goes on.
                os.remove(folder .. "file")
                os.remove(folder .. "new")
                assert(co.write_file(folder .. "old", "new contents", { atomic = true }))
                assert(co.read_file(folder .. "old") == "new contents")
                local left = 0
                for _ in pairs(luring.readdir(folder)) do left = left + 1 end
                assert(left == 1, left)
            end)
            io.write("done")
        ]]):format(folder))
        file:close()
        local result = child.shell(([[
            mkdir %s
            unshare -m sh -c 'mount -t tmpfs -o size=128k none %s || exit 77; exec "$@"' sh %s || exit $?
        ]]):format(folder, folder, child.command(path)))
        os.execute("rmdir " .. folder)
        os.remove(path)
        if result.status ~= 0 and not result.output:find("stack traceback", 1, true) then
            return pending("only root may mount")
        end
        assert.equal("done", result.output)
    end)
end)
