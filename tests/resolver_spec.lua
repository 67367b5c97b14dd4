local luring = require "luring"
local drive = require "drive"
local child = require "child"

-- What comes of a lookup.
local function lookup(ring, ...)
    local fd = luring.getaddrinfo(...)
    assert.is_true(fd > 2)
    local res, answer = drive.one(ring, "read", fd, 4096, -1)
    assert.is_true(res > 0)
    assert.equal(0, luring.close_fd(fd))
    return luring.addrinfo(answer)
end

local function addresses(list)
    local names = {}
    for _, address in ipairs(list) do names[#names + 1] = address.addr .. " " .. address.port end
    return names
end

describe("getaddrinfo", function()
    local ring
    before_each(function() ring = luring.queue_init(64, 0) end)
    after_each(function() luring.queue_exit(ring) end)

    it("gives numeric addresses as they are", function()
        assert.same({ "127.0.0.1 80" }, addresses(lookup(ring, "127.0.0.1", "80")))
        assert.same({ "::1 0" }, addresses(lookup(ring, "::1")))
        local list = lookup(ring, "::1", "443")
        assert.same({ luring.AF_INET6, 0 }, { list[1].family, list[1].scope_id })
    end)

    it("looks names up in the system's files", function()
        local list = lookup(ring, "localhost", "80", { family = luring.AF_INET })
        assert.same({ luring.AF_INET, "127.0.0.1", 80 }, { list[1].family, list[1].addr, list[1].port })
    end)

    it("gives addresses that a socket can be bound and connected to", function()
        local list = lookup(ring, "localhost", "0", { family = luring.AF_INET })
        local server = luring.tcp_listen(list[1])
        local client = luring.tcp_connect(luring.getsockname(server))
        assert.is_true(server > 0 and client > 0)
        drive.close(server, client)
    end)

    it("says why there is no address", function()
        local none, message, errno = lookup(ring, "no.such.name.invalid")
        assert.is_nil(none)
        assert.equal("string", type(message))
        assert.is_true(errno == luring.ENOENT or errno == luring.EAGAIN)
        none, message, errno = lookup(ring, "a name", "80", { flags = luring.AI_NUMERICHOST })
        assert.same({ nil, luring.ENOENT }, { none, errno })
        assert.truthy(message:find("^Name .*not"), message) -- each C library has words of its own
        assert.equal(luring.EINVAL, (select(3, lookup(ring, "127.0.0.1", "no such service"))))
    end)

    it("looks many names up, each with its own answer", function()
        local got, fds = {}, {}
        for i = 1, 60 do
            fds[i] = luring.getaddrinfo("127.0.0." .. i, tostring(i))
            luring.read(ring, fds[i], 4096, -1, function(cqe, res, answer)
                luring.cqe_seen(ring, cqe)
                assert(res > 0)
                got[i] = addresses(luring.addrinfo(answer))[1]
            end)
        end
        while luring.in_flight(ring) > 0 do drive.turn(ring) end
        for i = 1, 60 do assert.equal(("127.0.0.%d %d"):format(i, i), got[i]) end
        drive.close((unpack or table.unpack)(fds))
    end)

    it("leaves no descriptor of an answer that nobody wants", function()
        local before = drive.descriptors()
        for _ = 1, 100 do luring.close_fd(luring.getaddrinfo("127.0.0.1")) end
        for _ = 1, 1000 do
            if drive.descriptors() <= before then break end
            lookup(ring, "127.0.0.1") -- the threads take their names one after the other
        end
        assert.is_true(drive.descriptors() <= before) -- fewer, where garbage of others has gone
    end)

    it("works in a forked child, which has none of its parent's threads", function()
        if child.in_valgrind then return pending("the child has lost what its parent's thread holds") end
        local result = child.run [[
            local luring, host = require "luring", require "host"
            local function lookup()
                local ring = luring.queue_init(4, 0)
                local fd = luring.getaddrinfo("127.0.0.1", "7")
                luring.read(ring, fd, 4096, -1, function(cqe, res, answer)
                    luring.cqe_seen(ring, cqe)
                    io.write(luring.addrinfo(answer)[1].addr, "\n")
                end)
                luring.submit_and_wait(ring, 1)
                luring.do_cqes(ring)
            end
            lookup()
            io.flush()
            local pid = host.fork()
            lookup()
            io.flush()
            if pid == 0 then host.exit(0) end
            assert(host.wait(pid) == 0)]]
        assert.same({ 0, "127.0.0.1\n127.0.0.1\n127.0.0.1\n" }, { result.status, result.output })
    end)

    it("doesn't wait for a slow answer, and lets its thread take no signal", function()
        -- glibc reads HOSTALIASES for a name without a dot: here a pipe that nobody writes to.
        local chunk = [[
            local luring = require "luring"
            local ring = luring.queue_init(4, 0)
            luring.read(ring, luring.getaddrinfo("slow"), 4096, -1, function()
                print "answered"
                os.exit(0)
            end)
            luring.timeout(ring, 0.5, 0, 0, function()
                for id in pairs(luring.readdir("/proc/self/task")) do
                    local status = io.open("/proc/self/task/" .. id .. "/status"):read("*a")
                    if status:match("\nPid:%s*(%d+)") ~= status:match("\nTgid:%s*(%d+)") then
                        print("blocks " .. status:match("SigBlk:%s*%x*(%x%x%x%x)"))
                    end
                end
                os.exit(0)
            end)
            luring.submit_and_wait(ring, 1)
            luring.do_cqes(ring)]]
        local result = child.shell(("f=$(mktemp -u); mkfifo $f; HOSTALIASES=$f %s; s=$?; rm $f; exit $s"):format(
            child.command("-e", chunk)))
        if result.output == "answered\n" then return pending("the system's resolver asks no other machine") end
        assert.same({ 0, "blocks feff\n" }, { result.status, result.output }) -- all but SIGKILL
    end)

    it("refuses what is no name", function()
        for _, case in ipairs {
            { "bad argument #1 to 'getaddrinfo' (string expected, got no value)" },
            { "bad argument #1 to 'getaddrinfo' (path contains zero bytes)", "a\0b" },
            { "bad argument #2 to 'getaddrinfo' (string expected, got table)", "a", {} },
            { "bad argument #3 to 'getaddrinfo' (table expected, got number)", "a", "80", 1 },
        } do
            assert.has_error(function() luring.getaddrinfo((unpack or table.unpack)(case, 2)) end, case[1])
        end
    end)
end)

describe("addrinfo", function()
    it("refuses what getaddrinfo's descriptor has not given", function()
        local zeros = ("\0"):rep(8)
        for _, answer in ipairs {
            "", "short", zeros .. "x", zeros .. "\255\255\255\255", zeros .. "\16\0\0\0" .. "too short",
            zeros .. "\1\0\0\0" .. "x", zeros .. "\2\0\0\0" .. "\255\255",
        } do
            assert.has_error(function() luring.addrinfo(answer) end,
                "bad argument #1 to 'addrinfo' (not what getaddrinfo's descriptor gives)")
        end
        assert.same({}, luring.addrinfo(zeros))
    end)
end)
