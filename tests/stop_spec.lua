local child = require "child"

-- Sends bytes to itself until it is told to end; the same ones come back, whatever stops it meanwhile.
local PROGRAMS = {
    ["a ring"] = [[
        local luring = require "luring"
        local ring = luring.queue_init(8, 0)
        local one, other = luring.socketpair()
        local rounds, clock = 0, 0
        local function tick()
            luring.timeout(ring, 0.001, 0, 0, function(cqe, res)
                luring.cqe_seen(ring, cqe)
                assert(res == -luring.ETIME, res)
                clock = clock + 1
                tick()
            end)
        end
        tick()
        while rounds < 10 or not is_over() do
            rounds = rounds + 1
            local text, sent, got = ("%9d"):format(rounds):rep(1000), nil, nil
            luring.send(ring, one, text, luring.MSG_WAITALL, function(cqe, res)
                luring.cqe_seen(ring, cqe)
                assert(res == #text and not sent, res)
                sent = true
            end)
            luring.recv(ring, other, #text, luring.MSG_WAITALL, function(cqe, res, data)
                luring.cqe_seen(ring, cqe)
                assert(res == #text and data == text and not got, res)
                got = true
            end)
            while not (sent and got) do
                local res = luring.submit_and_wait(ring, 1)
                assert(res >= 0 or res == -luring.EINTR, res)
                luring.do_cqes(ring)
            end
        end
        luring.queue_exit(ring)
        assert(clock > 0)]],
    ["tasks"] = [[
        local co = require "luring.co"
        co.run(function()
            local server = assert(co.listen("127.0.0.1", 0))
            co.background(function()
                server:serve(function(client)
                    while true do
                        local line = client:line()
                        if not line then return end
                        client:write(line, "\n")
                    end
                end)
            end)
            local client = assert(co.connect(server:address()))
            client:settimeout(60, 60)
            local rounds = 0
            while rounds < 10 or not is_over() do
                rounds = rounds + 1
                client:write(rounds, "\n")
                assert(client:line() == tostring(rounds))
                co.sleep(0.001)
            end
            client:close()
            server:close()
        end)]],
}

describe("a process that is stopped and goes on", function()
    for name, program in pairs(PROGRAMS) do
        it("loses nothing: " .. name, function()
            local path, over = os.tmpname(), os.tmpname()
            os.remove(over)
            local file = io.open(path, "w")
            file:write(([[
                local function is_over()
                    local file = io.open(%q)
                    return file and file:close()
                end
            ]]):format(over), program, "\nio.write('done')")
            file:close()
            local result = child.shell(([[
                %s & pid=$!
                for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
                    kill -STOP $pid
                    kill -CONT $pid
                    sleep 0.01
                done
                echo >%s
                wait $pid]]):format(child.command(path), over))
            os.remove(path)
            os.remove(over)
            assert.equal("done", result.output)
            assert.equal(0, result.status)
        end)
    end
end)
