local co = require "luring.co"
local luring = require "luring"

local SIZE = 3 * 1000 * 1000

describe("sendfile", function()
    local path, contents = os.tmpname(), nil
    setup(function()
        local numbers = {}
        for place = 1, SIZE / 8 do numbers[place] = ("%07d\n"):format(place) end
        contents = table.concat(numbers)
        local file = io.open(path, "wb")
        file:write(contents)
        file:close()
    end)
    teardown(function() os.remove(path) end)

    -- Two streams that are connected, and the file.
    local function open()
        local a, b = luring.socketpair()
        return co.stream(a), co.stream(b), assert(co.open(path))
    end

    it("sends a file, or a part of it, and says how much", function()
        co.run(function()
            for _, part in ipairs {
                { nil, nil, contents }, { 5, nil, contents:sub(6) }, { 0, 0, "" }, { 100, 7, contents:sub(101, 107) },
                { 100, 262145, contents:sub(101, 262245) }, { SIZE - 3, 100, contents:sub(-3) }, { SIZE, nil, "" },
            } do
                local from, to, file = open()
                local t = co.spawn(function()
                    local sent = from:sendfile(file, part[1], part[2])
                    from:close()
                    return sent
                end)
                assert.is_true(part[3] == to:read_all())
                assert.equal(#part[3], t:join())
                to:close()
                file:close()
            end
        end)
    end)

    it("makes no strings of it", function()
        co.run(function()
            local from, to, file = open()
            local t = co.spawn(function()
                assert(from:sendfile(file))
                collectgarbage("stop")
                local before = collectgarbage("count")
                assert(from:sendfile(file))
                local after = collectgarbage("count")
                collectgarbage("restart")
                from:close()
                return after - before
            end)
            co.spawn(function()
                local sink = luring.buffer(65536)
                repeat local res = co.await(luring.recv, to:getfd(), sink, 0) until res <= 0
            end)
            assert.is_true(t:join() < SIZE / 1024 / 4)
        end)
    end)

    it("says how far it came when the time is up, and the stream takes no more", function()
        co.run(function()
            local from, _, file = open()
            from:settimeout(nil, 0.01)
            local ok, message, errno, sent = from:sendfile(file)
            assert.is_nil(ok)
            assert.equal("timed out", message)
            assert.equal(co.ETIMEDOUT, errno)
            assert.is_true(sent > 0 and sent < SIZE, sent)
            assert.is_nil((from:write("more")))
        end)
    end)

    it("that is cancelled leaves a stream that takes no more", function()
        co.run(function()
            local from, to, file = open()
            local t = co.spawn(function() from:sendfile(file) end)
            to:read_exactly(1000)
            t:cancel()
            co.pcall(t.join, t)
            assert.is_nil((from:write("more")))
        end)
    end)

    it("says what the file system says, and of a reader that has gone", function()
        co.run(function()
            local from, to, file = open()
            local folder = luring.open_file("/", luring.O_RDONLY)
            local ok, _, errno, sent = from:sendfile(folder)
            luring.close_fd(folder)
            assert.same({ nil, co.EISDIR, 0 }, { ok, errno, sent })
            assert.equal(from, from:write("x"))
            to:close()
            ok, _, errno = from:sendfile(file)
            assert.is_nil(ok)
            assert.equal(co.EPIPE, errno)
        end)
    end)
end)
