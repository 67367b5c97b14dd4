local luring = require "luring"
local drive = require "drive"

-- The descriptor's own address says which socket was meant.
local function bound()
    local fd = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
    return fd, luring.getsockname(fd)
end

local function complaint(object)
    local ok, message = pcall(function()
        local result = luring.getsockname(object)
        return result
    end)
    assert.is_false(ok)
    assert.equal("string", type(message))
    return message:match("bad argument #1 to 'getsockname' %((.*)%)$") or message
end

-- A userdata with these fields, on any Lua: only 5.1 can make one without C.
local function userdata(fields)
    local newproxy = rawget(_G, "newproxy")
    if not newproxy then return setmetatable({}, { __index = fields }) end
    local proxy = newproxy(true)
    getmetatable(proxy).__index = fields
    return proxy
end

describe("a descriptor", function()
    it("may be an integer", function()
        local fd, address = bound()
        assert.same(address, luring.getsockname(fd))
        assert.same(address, luring.getsockname(tostring(fd)))
        luring.close_fd(fd)
    end)

    it("may be a Lua file", function()
        local file = assert(io.open("/dev/null"))
        assert.equal(-luring.ENOTSOCK, luring.getsockname(file))
        assert.equal(0, luring.close_fd(file))
        assert.equal(-luring.EBADF, luring.close_fd(file))
        -- Its own close gets EBADF then; nothing else may have the number meanwhile.
        assert.is_nil((file:close()))
    end)

    it("may be a Lua file of a process", function()
        local file = assert(io.popen("exec cat", "w"))
        assert.equal(-luring.ENOTSOCK, luring.getsockname(file))
        file:close()
    end)

    it("is an argument error when its file is closed", function()
        local file = assert(io.open("/dev/null"))
        file:close()
        assert.equal("file is closed", complaint(file))
    end)

    for _, name in ipairs { "getfd", "fileno", "pollfd", "fd" } do
        it(("may be an object with a method %s"):format(name), function()
            local fd, address = bound()
            local methods, object = {}, nil
            methods[name] = function(self, ...)
                assert.equal(object, self)
                assert.equal(0, select("#", ...))
                return fd, "more"
            end
            object = userdata(methods)
            assert.same(address, luring.getsockname(object))
            object = methods
            assert.same(address, luring.getsockname(object))
            luring.close_fd(fd)
        end)

        it(("may be an object with a field %s"):format(name), function()
            local fd, address = bound()
            assert.same(address, luring.getsockname(userdata { [name] = fd }))
            assert.equal(0, luring.close_fd { [name] = fd })
            assert.equal(-luring.EBADF, luring.close_fd(fd))
        end)

        it(("is an argument error when %s gives none"):format(name), function()
            local expected = ("its '%s' gives no descriptor"):format(name)
            for _, wrong in ipairs { -1, 1.5, 2 ^ 31, "x", true, {}, io.stdout } do
                assert.equal(expected, complaint { [name] = wrong })
                assert.equal(expected, complaint { [name] = function() return wrong end })
            end
            assert.equal(expected, complaint { [name] = function() end })
            assert.equal(expected, complaint { [name] = false })
        end)
    end

    it("is the first of these that there is", function()
        local fd, address = bound()
        assert.same(address, luring.getsockname { getfd = fd, fileno = -1, pollfd = -1, fd = -1 })
        assert.same(address, luring.getsockname { pollfd = fd, fd = -1 })
        luring.close_fd(fd)
    end)

    it("is an argument error when nothing has one", function()
        local ring = luring.queue_init(1, 0)
        assert.equal("descriptor expected, got table", complaint {})
        assert.truthy(complaint(ring):find("^descriptor expected, got "))
        assert.equal("number expected, got nil", complaint(nil))
        assert.equal("number expected, got boolean", complaint(true))
        assert.equal("number expected, got string", complaint "x")
        assert.equal("number expected, got function", complaint(print))
        assert.equal("number has no integer representation", complaint(1.5))
        assert.equal("must be between -2147483648 and 2147483647", complaint(2 ^ 31))
        luring.queue_exit(ring)
        if rawget(_G, "newproxy") then
            assert.equal("descriptor expected, got userdata", complaint(rawget(_G, "newproxy")()))
        end
    end)

    it("leaves an object's own error", function()
        local raised = {}
        local function raise() error(raised) end
        for _, object in ipairs { { fd = raise }, setmetatable({}, { __index = raise }) } do
            local ok, value = pcall(luring.getsockname, object)
            assert.is_false(ok)
            assert.equal(raised, value)
        end
    end)
end)

describe("an object of", function()
    it("LuaSocket is a descriptor", function()
        local ok, socket = pcall(require, "socket")
        if not ok then return pending("LuaSocket is not installed") end
        local server = assert(socket.bind("127.0.0.1", 0))
        local _, port = server:getsockname()
        assert.equal(tonumber(port), luring.getsockname(server).port)
        server:close()
        assert.equal("its 'getfd' gives no descriptor", complaint(server))
    end)

    it("luv is a descriptor", function()
        local ok, uv = pcall(require, "luv")
        if not ok then return pending("luv is not installed") end
        local server = uv.new_tcp()
        assert(server:bind("127.0.0.1", 0))
        assert.equal(server:getsockname().port, luring.getsockname(server).port)
        server:close()
        uv.run()
    end)

    it("cqueues is a descriptor", function()
        local ok, socket = pcall(require, "cqueues.socket")
        if not ok then return pending("cqueues is not installed") end
        local server = assert(socket.listen("127.0.0.1", 0))
        assert(server:listen())
        local _, _, port = server:localname()
        assert.equal(tonumber(port), luring.getsockname(server).port)
        server:close()
    end)
end)

it("objects are asked before anything is done", function()
    local from, to = luring.pipe2()
    pcall(luring.close_fd, { getfd = function() error "no" end, fd = from })
    drive.close(from, to)
    assert.equal(-luring.EBADF, luring.close_fd(from))
end)
