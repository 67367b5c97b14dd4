local luring = require "luring"
local drive = require "drive"
local child = require "child"

local ring
before_each(function() ring = luring.queue_init(8, 0) end)
after_each(function() luring.queue_exit(ring) end)

local function read(fd, size)
    local res, bytes = drive.one(ring, "read", fd, size or 4096, -1)
    assert.is_true(res >= 0, luring.errname(-res))
    return bytes
end

-- A small 64-bit integer, in the machine's order: all other bytes are 0.
local function count(bytes)
    assert.equal(8, #bytes)
    assert.truthy(bytes:find("^%z*[^%z]%z*$"))
    return bytes:byte(bytes:find("[^%z]"))
end

describe("eventfd", function()
    it("counts from its first value", function()
        local fd = luring.eventfd(5)
        assert.equal(5, count(read(fd)))
        drive.one(ring, "write", fd, ("\1"):rep(8), -1)
        assert.equal(("\1"):rep(8), read(fd))
        luring.close_fd(fd)
    end)

    it("wakes a read that waits", function()
        local fd, got = luring.eventfd(), nil
        luring.read(ring, fd, 8, -1, function(cqe, _, bytes)
            luring.cqe_seen(ring, cqe)
            got = bytes
        end)
        luring.submit(ring)
        assert.equal(-luring.EAGAIN, luring.do_cqes(ring))
        assert.is_nil(got)
        assert.equal(8, (drive.one(ring, "write", fd, ("\2"):rep(8), -1)))
        while not got do drive.turn(ring) end
        assert.equal(("\2"):rep(8), got)
        luring.close_fd(fd)
    end)

    it("takes flags", function()
        local fd = luring.eventfd(2, luring.EFD_SEMAPHORE)
        assert.equal(1, count(read(fd)))
        assert.equal(1, count(read(fd)))
        luring.close_fd(fd)
        assert.equal(-luring.EINVAL, luring.eventfd(0, 2))
    end)
end)

describe("a timer", function()
    it("goes off once", function()
        local fd = luring.timerfd_create()
        local before = luring.now()
        assert.equal(0, luring.timerfd_settime(fd, 0, 0.02))
        assert.equal(1, count(read(fd)))
        assert.is_true(luring.now() - before >= 0.02)
        luring.close_fd(fd)
    end)

    it("goes off at an interval", function()
        local fd, seen = luring.timerfd_create(luring.CLOCK_MONOTONIC), 0
        assert.equal(0, luring.timerfd_settime(fd, 0, { tv_sec = 0, tv_nsec = 1000 }, 0.001))
        while seen < 5 do seen = seen + count(read(fd)) end
        luring.close_fd(fd)
    end)

    it("goes off at a moment of its clock", function()
        local fd, moment = luring.timerfd_create(), luring.now() + 0.01
        assert.equal(0, luring.timerfd_settime(fd, luring.TFD_TIMER_ABSTIME, moment))
        read(fd)
        assert.is_true(luring.now() >= moment)
        luring.close_fd(fd)
    end)

    it("is stopped by 0, and by nothing shorter than its clock can tell", function()
        local fd = luring.timerfd_create()
        local function set()
            local info = child.contents("/proc/self/fdinfo/" .. fd)
            return info:match("it_value: %((%d+), %d+%)") .. " " .. info:match("it_interval: (%(%d+, %d+%))")
        end
        assert.equal(0, luring.timerfd_settime(fd, 0, 1000, 2.5))
        assert.equal("999 (2, 500000000)", set())
        assert.equal(0, luring.timerfd_settime(fd, 0, 0))
        assert.equal("0 (0, 0)", set())
        assert.equal(0, luring.timerfd_settime(fd, 0, 1e-12))
        assert.equal(1, count(read(fd)))
        luring.close_fd(fd)
    end)

    it("takes no time that is negative, endless or no number", function()
        local fd = luring.timerfd_create()
        for _, wrong in ipairs { -1, -1e-12, 0 / 0, math.huge, -math.huge, 2 ^ 63, "-1", "nan" } do
            for place = 3, 4 do
                local arguments = { fd, 0, 1, 1 }
                arguments[place] = wrong
                local ok, message = pcall(function()
                    local res = luring.timerfd_settime((unpack or table.unpack)(arguments))
                    return res
                end)
                assert.is_false(ok, wrong)
                local expected = (
                    "bad argument #%d to 'timerfd_settime' (must be a time of 0 seconds or more, and less than 2^63)"
                ):format(place)
                if wrong ~= "nan" then assert.truthy(message:find(expected, 1, true), message) end
            end
        end
        for field, wrong in pairs {
            tv_sec = { tv_sec = -1 }, tv_nsec = { tv_sec = 1, tv_nsec = 1000000000 },
        } do
            local ok, message = pcall(luring.timerfd_settime, fd, 0, wrong)
            assert.is_false(ok)
            assert.truthy(message:find(("field '%s' must be an integer from 0 to "):format(field), 1, true), message)
        end
        assert.equal(-luring.EINVAL, luring.timerfd_settime(0, 0, 1))
        luring.close_fd(fd)
    end)
end)

describe("inotify", function()
    local folder
    before_each(function()
        folder = os.tmpname()
        os.remove(folder)
        child.shell("mkdir " .. folder)
    end)
    after_each(function() child.shell("rm -r " .. folder) end)

    it("tells what happened to which name", function()
        local fd = luring.inotify_init()
        local wd = luring.inotify_add_watch(fd, folder, luring.IN_CREATE + luring.IN_MOVED_FROM + luring.IN_MOVED_TO)
        assert.is_true(wd >= 0)
        child.shell(("cd %s && : >a && : >a-rather-long-name && mv a b"):format(folder))
        local events = luring.inotify_events(read(fd))
        assert.equal(4, #events)
        assert.same({ wd = wd, mask = luring.IN_CREATE, cookie = 0, name = "a" }, events[1])
        assert.same({ wd = wd, mask = luring.IN_CREATE, cookie = 0, name = "a-rather-long-name" }, events[2])
        assert.equal("a", events[3].name)
        assert.equal("b", events[4].name)
        assert.equal(luring.IN_MOVED_FROM, events[3].mask)
        assert.equal(luring.IN_MOVED_TO, events[4].mask)
        assert.equal(events[3].cookie, events[4].cookie)
        assert.are_not.equal(0, events[3].cookie)
        luring.close_fd(fd)
    end)

    it("has no name for the file that is watched itself, and tells that its watch has ended", function()
        local path = folder .. "/file"
        child.shell(": >" .. path)
        local fd = luring.inotify_init()
        local wd = luring.inotify_add_watch(fd, path, luring.IN_MODIFY)
        child.shell("echo >>" .. path)
        assert.same({ { wd = wd, mask = luring.IN_MODIFY, cookie = 0 } }, luring.inotify_events(read(fd)))
        assert.equal(0, luring.inotify_rm_watch(fd, wd))
        assert.same({ { wd = wd, mask = luring.IN_IGNORED, cookie = 0 } }, luring.inotify_events(read(fd)))
        assert.equal(-luring.EINVAL, luring.inotify_rm_watch(fd, wd))
        luring.close_fd(fd)
    end)

    it("is -errno", function()
        local fd = luring.inotify_init()
        assert.equal(-luring.ENOENT, luring.inotify_add_watch(fd, folder .. "/nowhere", luring.IN_MODIFY))
        assert.equal(-luring.EINVAL, luring.inotify_add_watch(fd, folder, 0))
        assert.equal(-luring.EINVAL, luring.inotify_add_watch(0, folder, luring.IN_MODIFY))
        assert.equal(-luring.EINVAL, luring.inotify_init(1))
        luring.close_fd(fd)
    end)

    it("records that were cut, or are none, are an argument error", function()
        assert.same({}, luring.inotify_events(""))
        local one = ("\0"):rep(16)
        assert.same({ { wd = 0, mask = 0, cookie = 0 } }, luring.inotify_events(one))
        for _, wrong in ipairs { "x", one .. "x", ("\0"):rep(15), ("\255"):rep(16), one:sub(1, 12) .. "\1\1\1\1" } do
            local ok, message = pcall(luring.inotify_events, wrong)
            assert.is_false(ok)
            assert.truthy(message:find("not what an inotify descriptor gives", 1, true), message)
        end
    end)
end)

describe("signalfd", function()
    it("gives the signal instead of what it would do", function()
        local result = child.run [[
            local luring = require "luring"
            local ring = luring.queue_init(4, 0)
            local fd = luring.signalfd { luring.SIGUSR1, luring.SIGTERM }
            local me = luring.posix_spawn { "sh", "-c", "kill -TERM $PPID; kill -USR1 $PPID" }
            local status = luring.waitid_now(luring.P_PID, me)
            while status == -luring.EAGAIN do status = luring.waitid_now(luring.P_PID, me) end
            luring.read(ring, fd, 4096, -1, function(cqe, res, bytes)
                luring.cqe_seen(ring, cqe)
                local list = luring.siginfo(bytes)
                table.sort(list, function(a, b) return a.signo < b.signo end)
                for _, info in ipairs(list) do
                    io.write(info.signo, " ", info.code, " ", tostring(info.pid == me), " ", info.uid, "\n")
                end
            end)
            luring.submit_and_wait(ring, 1)
            luring.do_cqes(ring)
        ]]
        local uid = child.shell("id -u").output
        assert.equal(("%d 0 true %s%d 0 true %s"):format(luring.SIGUSR1, uid, luring.SIGTERM, uid), result.output)
        assert.equal(0, result.status)
    end)

    it("takes one signal alone; none is none", function()
        local result = child.run [[
            local luring = require "luring"
            local function blocked()
                return tonumber(io.open("/proc/self/status"):read("*a"):match("SigBlk:%s*(%x+)"), 16)
            end
            local before = blocked() -- whatever this process has got
            assert(luring.signalfd(luring.SIGUSR2) >= 0)
            assert(luring.signalfd({}) >= 0)
            io.write(("%x"):format(blocked() - before))
        ]]
        assert.equal("800", result.output)
    end)

    it("blocks nothing when it fails", function()
        local result = child.run [[
            local luring = require "luring"
            local function blocked() return io.open("/proc/self/status"):read("*a"):match("SigBlk:%s*(%x+)") end
            local before = blocked()
            io.write(luring.signalfd(luring.SIGUSR2, 1), " ", tostring(blocked() == before))
        ]]
        assert.equal("-22 true", result.output)
    end)

    it("takes no other number", function()
        for _, wrong in ipairs { 0, -1, 1000, { 0 }, { luring.SIGUSR1, 1000 }, { "x" }, { 2 ^ 32 + 10 }, { {} } } do
            local ok, message = pcall(luring.signalfd, wrong)
            assert.is_false(ok)
            assert.truthy(message:find("no such signal", 1, true), message)
        end
    end)

    it("has records of 128 bytes", function()
        assert.same({}, luring.siginfo "")
        assert.equal(3, #luring.siginfo(("\1"):rep(384)))
        assert.equal(0x01010101, luring.siginfo(("\1"):rep(128))[1].status)
        for _, wrong in ipairs { "x", ("\0"):rep(127), ("\0"):rep(129) } do
            local ok, message = pcall(luring.siginfo, wrong)
            assert.is_false(ok)
            assert.truthy(message:find("not what a signalfd gives", 1, true), message)
        end
    end)
end)

describe("epoll_create1", function()
    it("makes an epoll instance", function()
        local fd = luring.epoll_create1()
        assert.equal("anon_inode:[eventpoll]", luring.readlink("/proc/self/fd/" .. fd))
        luring.close_fd(fd)
        assert.equal(-luring.EINVAL, luring.epoll_create1(1))
    end)
end)

describe("now", function()
    it("goes on, whatever the time of day is", function()
        local first = luring.now()
        local uptime = tonumber(child.contents("/proc/uptime"):match("%S+")) -- in hundredths
        local second = luring.now()
        assert.is_true(0 < first and first < uptime + 0.02)
        assert.is_true(first < second)
    end)
end)

describe("cpus", function()
    it("is what nproc says, or less where a container has a share of them", function()
        local cpus = luring.cpus()
        assert.is_true(1 <= cpus and cpus <= tonumber(child.shell("env -u OMP_NUM_THREADS nproc").output))
    end)

    it("is no more than the process may use", function()
        local result = child.run([[io.write(require("luring").cpus())]], "taskset -c 0")
        if result.status == 127 then return pending("taskset is not installed") end
        assert.equal("1", result.output)
    end)
end)

describe("errname", function()
    it("is the name of an error number", function()
        assert.equal("EAGAIN", luring.errname(11))
        for name, number in pairs(luring) do
            if name:find("^E[A-Z0-9]+$") and type(number) == "number" and not name:find("^EPOLL") then
                local found = luring.errname(number)
                assert.equal(number, luring[found], name)
            end
        end
        assert.equal("EOPNOTSUPP", luring.errname(luring.ENOTSUP))
    end)

    it("is nil for what has none", function()
        for _, number in ipairs { 0, -11, 9999, 2 ^ 31 - 1, -2 ^ 31 } do assert.is_nil(luring.errname(number)) end
    end)
end)
