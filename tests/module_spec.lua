local luring = require "luring"
local child = require "child"

local ORIGINALS = {
    "accept", "cqe_seen", "do_cqes", "open_file", "queue_exit", "queue_init", "read", "recv", "send",
    "strerror", "submit", "submit_and_wait", "write",
}
local METHODS = {
    "accept", "cqe_seen", "do_cqes", "queue_exit", "read", "recv", "send", "submit", "submit_and_wait", "write",
}

describe("the module", function()
    it("is a table with the thirteen functions of the C module", function()
        assert.equal("table", type(luring))
        for _, name in ipairs(ORIGINALS) do
            assert.equal("function", type(luring[name]), name)
        end
    end)

    it("can be loaded again, and the rings of both loads are one type", function()
        local ring = luring.queue_init(1, 0)
        package.loaded.luring = nil
        local again = require "luring"
        package.loaded.luring = luring
        assert.are_not.equal(luring, again)
        assert.equal(0, again.submit(ring))
        again.queue_exit(ring)
        assert.has_error(function() luring.submit(ring) end)
    end)

    it("that was built for another Lua is an error", function()
        local mine = _VERSION:match("%d%.%d")
        local folder, tried = os.getenv("LUA_CPATH"):match("^(.*/)[^/]*/%?%.so;;$"), 0
        for _, version in ipairs { "5.1", "5.2", "5.3", "5.4", "5.5" } do
            local other = folder .. version .. "/luring.so"
            local file = version ~= mine and io.open(other, "rb")
            if file then
                file:close()
                tried = tried + 1
                local result = child.run(([[
                    package.cpath = %q
                    io.write(tostring(select(2, pcall(require, "luring"))))
                ]]):format(other))
                assert.equal(0, result.status, result.output)
                local why = result.output:match("undefined symbol: lua") or result.output:match("version mismatch")
                    or result.output:match("numeric types")
                assert.truthy(why, version .. ": " .. result.output)
            end
        end
        if tried == 0 then pending("there is no module for another Lua beside this one") end
    end)

    it("has the functions of the reference, and the reference has the module's", function()
        local documented = {}
        for name in child.reference():gmatch("\n### `luring%.([%w_]+)%(") do
            assert.is_nil(documented[name], name .. " is there twice")
            documented[name] = true
            assert.equal("function", type(luring[name]), name .. " is in the reference only")
        end
        for name, value in pairs(luring) do
            if type(value) == "function" then
                assert.is_true(documented[name], name .. " is not in the reference")
            end
        end
    end)

    it("has constants under their C names, with the system's numbers", function()
        local numbers = {
            AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, SOCK_STREAM = 1, SOCK_DGRAM = 2, EPERM = 1, ENOENT = 2,
            EINTR = 4, EAGAIN = 11, EINVAL = 22, EPIPE = 32, MSG_PEEK = 2, IORING_SETUP_SQPOLL = 2,
            IOSQE_FIXED_FILE = 1, IOSQE_IO_DRAIN = 2, IOSQE_IO_LINK = 4, IOSQE_IO_HARDLINK = 8, IOSQE_ASYNC = 16,
            IOSQE_BUFFER_SELECT = 32, IOSQE_CQE_SKIP_SUCCESS = 64,
            FUTEX2_SIZE_U8 = 0, FUTEX2_SIZE_U16 = 1, FUTEX2_SIZE_U32 = 2, FUTEX2_SIZE_U64 = 3, FUTEX2_NUMA = 4,
            FUTEX2_MPOL = 8, FUTEX2_PRIVATE = 128, FUTEX_BITSET_MATCH_ANY = 2 ^ 32 - 1,
            IORING_FILE_INDEX_ALLOC = 2 ^ 32 - 1, WNOHANG = 1, WUNTRACED = 2,
        }
        for name, number in pairs(numbers) do assert.equal(number, luring[name], name) end
        for name, value in pairs(luring) do
            if type(value) ~= "function" and name ~= "_VERSION" then
                assert.equal("number", type(value), name)
                assert.equal(0, value % 1, name)
            end
        end
    end)
end)

it("the module has a version, which is the crate's", function()
    local version = child.contents(child.root .. "/Cargo.toml"):match('\nversion = "([^"]+)"')
    assert.equal("luring " .. version, luring._VERSION)
end)

describe("a ring", function()
    local ring
    before_each(function() ring = luring.queue_init(4, 0) end)
    after_each(function() luring.queue_exit(ring) end)

    it("is a userdata with a metatable that the registry has as luring", function()
        assert.equal("userdata", type(ring))
        local metatable = debug.getregistry and debug.getregistry()["luring"]
        assert.equal(metatable, debug.getmetatable(ring))
        assert.equal("function", type(metatable.__gc))
        assert.equal("luring", metatable.__name)
    end)

    it("begins as a string with its type", function()
        assert.equal("luring: ", tostring(ring):sub(1, 8))
        local other = luring.queue_init(4, 0)
        assert.are_not.equal(tostring(ring), tostring(other))
        luring.queue_exit(other)
        assert.equal("luring: ", tostring(other):sub(1, 8))
    end)

    it("has its functions as methods", function()
        for _, name in ipairs(METHODS) do assert.equal("function", type(ring[name]), name) end
        assert.is_nil(ring.queue_init)
        assert.is_nil(ring.open_file)
        assert.is_nil(ring.nothing)
        local from, to = luring.pipe2()
        local res, result
        assert.truthy(ring:write(to, "by method", -1))
        assert.truthy(ring:read(from, 100, -1, function(cqe, ...)
            ring:cqe_seen(cqe)
            res, result = ...
        end))
        assert.equal(2, ring:submit_and_wait(2))
        assert.equal(-11, ring:do_cqes())
        assert.equal(9, res)
        assert.equal("by method", result)
        luring.close_fd(from)
        luring.close_fd(to)
    end)

    it("counts the arguments of a method without the ring", function()
        local ok, message = pcall(function() ring:read(1, "x", 0) end)
        assert.is_false(ok)
        assert.truthy(message:find("bad argument #2 to 'read' (number expected, got string)", 1, true), message)
    end)
end)
