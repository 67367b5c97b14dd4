local luring = require "luring"
local co = require "luring.co"
local child = require "child"
local drive = require "drive"

-- There are not more than before, once the resolver's threads have closed their own ends.
local function closes_all(before)
    for _ = 1, 1000 do
        if drive.descriptors() <= before then break end
        co.sleep(0.01)
    end
    assert.is_true(drive.descriptors() <= before)
end

describe("co.resolve", function()
    it("gives the addresses of a name", function()
        co.run(function()
            local list = assert(co.resolve("localhost", 80))
            local found
            for _, address in ipairs(list) do
                assert.equal(80, address.port)
                found = found or address.addr == "127.0.0.1" or address.addr == "::1"
            end
            assert.is_true(found)
            list = assert(co.resolve("::1"))
            assert.same({ luring.AF_INET6, "::1", 0 }, { list[1].family, list[1].addr, list[1].port })
        end)
    end)

    it("lets other tasks go on, and looks several names up at once", function()
        co.run(function()
            local turns = 0
            local ticker = co.background(function()
                while true do
                    turns = turns + 1
                    co.sleep(0)
                end
            end)
            local hosts = {}
            for i = 1, 40 do hosts[i] = "127.0.0." .. i end
            local lists = assert(co.map(40, hosts, co.resolve))
            for i, list in ipairs(lists) do assert.equal(hosts[i], list[1].addr) end
            assert.is_true(turns > 0)
            ticker:cancel()
        end)
    end)

    it("says which name nobody knows", function()
        co.run(function()
            local list, message, errno = co.resolve("no.such.name.invalid")
            assert.is_nil(list)
            assert.matches("^no%.such%.name%.invalid: %u", message)
            assert.is_true(errno == co.ENOENT or errno == co.EAGAIN)
        end)
    end)

    it("cancelled leaves no descriptor", function()
        co.run(function()
            local before = drive.descriptors()
            for _ = 1, 50 do
                local t = co.spawn(co.resolve, "127.0.0.1")
                co.sleep(0)
                t:cancel()
                co.pcall(t.join, t)
            end
            closes_all(before)
        end)
    end)

    it("ends at a timeout, while its thread still asks", function()
        -- glibc reads HOSTALIASES for a name without a dot: here a pipe that nobody writes to.
        local chunk = [[
            local co = require "luring.co"
            co.run(function()
                local list, message = co.timeout(0.3, co.resolve, "slow")
                print(list, message)
            end)
            os.exit(0)]]
        local result = child.shell(("f=$(mktemp -u); mkfifo $f; HOSTALIASES=$f %s; s=$?; rm $f; exit $s"):format(
            child.command("-e", chunk)))
        if result.output:find("slow: ", 1, true) then
            return pending("the system's resolver asks no other machine, or does not read that file")
        end
        assert.same({ 0, "nil\ttimed out\n" }, { result.status, result.output })
    end)

    it("refuses what is no name", function()
        co.run(function()
            assert.error_matches(function() co.resolve() end, "bad argument #1 to 'resolve'")
            assert.error_matches(function() co.resolve("a\0b") end, "bad argument #1 to 'resolve'")
            assert.error_matches(function() co.resolve("a", {}) end, "bad argument #2 to 'resolve'")
        end)
    end)
end)

describe("co.connect", function()
    -- Runs `f(port)` beside a server at `host` that tells each client where it comes from.
    local function with_server(host, f)
        co.run(function()
            local server = assert(co.listen(host, 0))
            local _, port = server:address()
            co.background(function()
                server:serve(function(client) client:write((client:peer())) end)
            end)
            f(port, server)
        end)
    end

    it("takes a name", function()
        with_server("localhost", function(port)
            assert.equal("127.0.0.1", assert(co.connect("localhost", port)):read_all())
        end)
    end)

    local has_ipv6 = luring.tcp_listen { family = luring.AF_INET6, addr = "::1", port = 0 }
    if has_ipv6 >= 0 then luring.close_fd(has_ipv6) end

    it("tries the next address when one refuses", function()
        if has_ipv6 < 0 then return pending("no IPv6 here") end
        with_server("::1", function(port)
            -- Nobody listens at 127.0.0.1.
            assert.equal("::1", assert(co.connect("localhost", port)):read_all())
        end)
    end)

    it("tries the next address when one doesn't answer", function()
        if has_ipv6 < 0 then return pending("no IPv6 here") end
        with_server("::1", function(port)
            -- Nobody accepts here: what comes when the queue is full is left without an answer.
            local here = { family = luring.AF_INET, addr = "127.0.0.1", port = port }
            local deaf = luring.tcp_listen(here, 0)
            assert.is_true(deaf > 0)
            while co.connect("127.0.0.1", port, { timeout = 0.3 }) do co.sleep(0) end
            local before = drive.descriptors()
            local s = assert(co.connect("localhost", port, { timeout = 20 }))
            assert.equal("::1", s:read_all())
            s:close()
            assert.equal(before, drive.descriptors())
            luring.close_fd(deaf)
        end)
    end)

    it("tells why the first address has refused when all have", function()
        co.run(function()
            local server = assert(co.listen("localhost", 0))
            local _, port = server:address()
            server:close()
            local before = drive.descriptors()
            local s, message, errno = co.connect("localhost", port)
            assert.same({ nil, "localhost: Connection refused", co.ECONNREFUSED }, { s, message, errno })
            assert.equal(before, drive.descriptors())
        end)
    end)

    it("connects from an address of its own", function()
        with_server("127.0.0.1", function(port)
            assert.equal("127.0.0.7", assert(co.connect("127.0.0.1", port, { bind = "127.0.0.7" })):read_all())
            local before = drive.descriptors()
            local s, message, errno = co.connect("127.0.0.1", port, { bind = "203.0.113.1" })
            local why = "127.0.0.1: " .. luring.strerror(luring.EADDRNOTAVAIL)
            assert.same({ nil, why, co.EADDRNOTAVAIL }, { s, message, errno })
            assert.equal(before, drive.descriptors())
        end)
    end)

    it("names a host that nobody knows once", function()
        co.run(function()
            local s, message = co.connect("no.such.name.invalid", 80)
            assert.is_nil(s)
            assert.matches("^no%.such%.name%.invalid: [^:]+$", message)
        end)
    end)

    it("knows an address from a name that looks like one", function()
        co.run(function()
            for _, host in ipairs {
                "999.0.0.1", "dead:beef", ":::", "1::2::3", "12345::", "::1.2.3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7::8", ":1:2:3:4:5:6:7", "::256.0.0.1", "g::", "", "fe80::1%none",
            } do
                local before = drive.descriptors()
                local s, message = co.connect(host, 1)
                assert.is_nil(s, host)
                assert.equal("string", type(message))
                closes_all(before)
            end
            for _, host in ipairs {
                "127.0.0.1", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1", "0::0:1", "::0001", "::",
                "0:0:0:0:0:ffff:127.0.0.1",
            } do
                assert.is_nil((co.connect(host, 1)), host) -- and raises nothing
            end
        end)
    end)

    it("refuses what is no address", function()
        co.run(function()
            assert.error_matches(function() co.connect(1, 80) end, "bad argument #1 to 'connect'")
            assert.error_matches(function() co.connect("127.0.0.1") end,
                "bad argument #2 to 'connect' %(a port expected%)")
            assert.error_matches(function() co.connect("127.0.0.1", 80, { bind = "a.name" }) end,
                "bad option 'bind' %(a numeric address expected%)")
            assert.error_matches(function() co.connect("127.0.0.1", 80, { bnd = "a" }) end, "unknown option: bnd")
        end)
    end)
end)

describe("a port that is looked up", function()
    it("is in the range of ports", function()
        co.run(function()
            for _, port in ipairs { 99999, 65536, -1, 1.5, "99999", "-1", "+65536" } do
                assert.error_matches(function() co.resolve("127.0.0.1", port) end, "bad argument #2 to 'resolve'")
            end
            for _, port in ipairs { 0, 65535, "65535", 80 } do
                assert.equal(tonumber(port), assert(co.resolve("127.0.0.1", port))[1].port)
            end
        end)
    end)
end)
