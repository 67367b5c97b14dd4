local luring = require "luring"
local child = require "child"
local drive = require "drive"

-- Runs a shell script in which `serve ARGUMENT...` starts the server, whose words go to ./said
-- and ./errors, and sets $server and $port; `clients PORT N` are clients of it.
local function with_server(script, server)
    return child.shell(([[
        folder=$(mktemp -d); trap 'kill -9 $server 2>/dev/null; rm -rf "$folder"' EXIT; cd "$folder"
        clients() { %s "$@"; }
        serve() {
            : >said
            %s "$@" >said 2>errors & server=$!
            until grep -q port said; do kill -0 $server || exit 9; sleep 0.05; done
            port=$(sed -n 's/.*port //p' said)
        }
        %s]]):format(child.example "echo_clients.lua", server or child.example "echo_server.lua", script))
end

describe("the example echo_server.lua", function()
    it("serves many clients at once, and then ends", function()
        local result = with_server "serve 0 300; clients $port 300; wait $server; echo $?; cat errors"
        assert.equal("300 clients, 65536 bytes each, 0 answers wrong\n0\n", result.output)
    end)

    it("serves the last of its clients to the end", function()
        local result = with_server "serve 0 2; clients $port 1; clients $port 1; wait $server; echo $?; cat errors"
        assert.equal(("1 clients, 65536 bytes each, 0 answers wrong\n"):rep(2) .. "0\n", result.output)
    end)

    it("waits for others to leave when there are no descriptors left", function()
        local result = with_server [[
            limit=$(ulimit -Sn); ulimit -Sn 24; serve 0 100; ulimit -Sn $limit
            clients $port 100; wait $server; echo $?; cat errors]]
        assert.equal("100 clients, 65536 bytes each, 0 answers wrong\n0\n"
            .. ("echo_server.lua: accept: %s: new clients wait until others have left\n"):format(
                luring.strerror(luring.EMFILE)), result.output)
    end)

    it("goes on after it was stopped", function()
        local result = with_server [[
            serve 0 20
            for _ in 1 2 3; do sleep 0.1; kill -STOP $server; sleep 0.1; kill -CONT $server; done
            clients $port 20; wait $server; echo $?; cat errors]]
        assert.equal("20 clients, 65536 bytes each, 0 answers wrong\n0\n", result.output)
    end)

    it("ends at Ctrl-C, without a word", function()
        -- The second bit of the signals that have a handler is SIGINT's.
        if not child.contents("/proc/self/status"):find("SigCgt:%s*%x*[2367abef]\n") then
            return pending "this interpreter does nothing at Ctrl-C"
        end
        local result = with_server [[
            serve 0; clients $port 20; sleep 0.1; kill -INT $server; wait $server; echo $?; cat errors]]
        assert.equal("20 clients, 65536 bytes each, 0 answers wrong\n130\n", result.output)
    end)

    it("survives clients that leave before their answer", function()
        local result = with_server(([[
            serve 0 21; PORT=$port %s || exit; clients $port 20; wait $server; echo $?; cat errors]]):format(
            child.command("-e", [[
                local luring = require "luring"
                local port = tonumber(os.getenv "PORT")
                local fd = luring.tcp_connect { family = luring.AF_INET, addr = "127.0.0.1", port = port }
                local ring = luring.queue_init(4, 0)
                luring.send(ring, fd, ("x"):rep(1000000), 0)
                luring.submit_and_wait(ring, 1)
                os.exit(fd >= 0 and 0 or 1)]])))
        assert.equal("20 clients, 65536 bytes each, 0 answers wrong\n0\n", result.output)
    end)

    it("says in one line that its port is taken", function()
        local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local port = luring.getsockname(listener).port
        local result = child.shell(child.example("echo_server.lua", tostring(port)))
        drive.close(listener)
        local why = luring.strerror(luring.EADDRINUSE)
        assert.equal(("echo_server.lua: port %d: %s\n"):format(port, why), result.output)
        assert.equal(1, result.status)
    end)

    it("says in one line what is no port, and no number of clients", function()
        for _, word in ipairs { "http", "65536", "-1", "1.5", "1e3", "0x10", "" } do
            local result = child.shell(child.example("echo_server.lua", word))
            assert.equal(("echo_server.lua: PORT is a number from 0 to 65535, not %s (see --help)\n"):format(word),
                result.output)
            assert.equal(1, result.status)
        end
        local result = child.shell(child.example("echo_server.lua", "0", "none"))
        assert.equal("echo_server.lua: CLIENTS is a number from 1 to 1000000000, not none (see --help)\n",
            result.output)
        assert.equal(1, result.status)
    end)
end)

describe("the example echo_clients.lua", function()
    it("says in one line that nobody listens, and what is no port", function()
        -- A port that was free a moment ago.
        local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local port = luring.getsockname(listener).port
        drive.close(listener)
        for word, words in pairs {
            [tostring(port)] = ("port %d: %s"):format(port, luring.strerror(luring.ECONNREFUSED)),
            none = "PORT is a number from 1 to 65535, not none (see --help)",
        } do
            local result = child.shell(child.example("echo_clients.lua", word))
            assert.equal(("echo_clients.lua: %s\n"):format(words), result.output)
            assert.equal(1, result.status)
        end
        local result = child.shell(child.example "echo_clients.lua")
        assert.equal("echo_clients.lua: which PORT? (see --help)\n", result.output)
        assert.equal(1, result.status)
    end)

    it("fails when an answer is wrong", function()
        local result = with_server("serve; clients $port 1; echo $?", child.command("-e", [[
            local luring = require "luring"
            local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
            print("port " .. luring.getsockname(listener).port)
            io.stdout:flush()
            local ring = luring.queue_init(4, 0)
            luring.accept(ring, listener, 0) -- and ends, which closes the connection
            luring.submit_and_wait(ring, 1)]]))
        assert.equal("1 clients, 65536 bytes each, 1 answers wrong\n1\n", result.output)
    end)
end)
