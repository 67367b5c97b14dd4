-- run.lua WORK MODULES: a file of 1 KiB and one of 64 KiB by HTTP over kept connections, 50 at once, from
-- examples/http_server.lua and from others, one after the other in each round: CPU time of the server for a request,
-- and how long 99 of 100 took at most. The server has one core, its client (wrk) the other. Called by `make bench-http`.

local machine = require "bench.lib.machine"
local shell = require "bench.lib.shell"
local stats = require "bench.lib.stats"

local work, modules = arg[1], arg[2]
local ROUNDS, SECONDS, CONNECTIONS, PORT = tonumber(os.getenv "ROUNDS" or "") or 5, 3, 50, 18473
local TICKS = tonumber(shell.output "getconf CLK_TCK")

-- ---- the servers: what starts one, for FOLDER and PORT ----

local function luring(lua, abi, options)
    return ("env LUA_CPATH='%s/%s/?.so' %s examples/http_server.lua --port PORT %s FOLDER"):format(modules, abi, lua,
        options or "")
end

-- nginx with one worker, in the foreground.
local function nginx(name, more)
    local path = ("%s/nginx-%s.conf"):format(work, name)
    shell.write(path, ([[
        daemon off; master_process off; worker_processes 1; pid %s/nginx.pid; error_log stderr crit;
        events { worker_connections 1024; }
        http {
            access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; %s
            client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s; uwsgi_temp_path %s; scgi_temp_path %s;
            server { listen 127.0.0.1:%d; root %s/files; }
        }]]):format(work, more, work, work, work, work, work, PORT, work))
    return "nginx -e stderr -c " .. path
end

local servers = {
    { "luring on LuaJIT", luring("luajit", "5.1"), "luajit -v" },
    { "luring on LuaJIT, its files kept open", luring("luajit", "5.1", "--cache 1"), "luajit -v" },
    { "luring on Lua 5.4", luring("lua5.4", "5.4"), "lua5.4 -v" },
    { "nginx, one worker", nginx("plain", ""), "nginx -v" },
    { "nginx, its files cached", nginx("cached", "open_file_cache max=1000; open_file_cache_valid 1s;"), "nginx -v" },
    { "luv on LuaJIT", "luajit bench/http/luv_server.lua FOLDER PORT", "luajit -e 'require \"luv\"'" },
    { "lua-http on Lua 5.2", "lua5.2 bench/http/lua_http_server.lua FOLDER PORT", "lua5.2 -e 'require \"http.server\"'" },
}

-- ---- measuring ----

-- The CPU time of a process with its threads, in seconds.
local function cpu(pid)
    local text = shell.read(("/proc/%d/stat"):format(pid)):match("%) (.*)")
    local fields = {}
    for field in text:gmatch("%S+") do fields[#fields + 1] = field end
    return (fields[12] + fields[13]) / TICKS
end

local function start(command)
    command = command:gsub("PORT", tostring(PORT)):gsub("FOLDER", work .. "/files")
    local pid = shell.output(("sh -c 'taskset -c 0 %s >%s/log 2>&1 & echo $!'"):format(command:gsub("'", '"'), work))
    pid = tonumber(pid)
    for _ = 1, 100 do
        if shell.output(("curl -s -o /dev/null http://127.0.0.1:%d/1024 2>/dev/null"):format(PORT)) then return pid end
        os.execute "sleep 0.1"
    end
    error(command .. ": " .. (shell.read(work .. "/log") or ""))
end

local function load(size, seconds)
    local text = assert(shell.output(("taskset -c 1 wrk -t1 -c%d -d%d --latency http://127.0.0.1:%d/%d")
        :format(CONNECTIONS, seconds, PORT, size)))
    local value, unit = text:match("99%%%s+([%d.]+)(%a+)")
    assert(not text:find("Non%-2xx"), text)
    return tonumber(text:match("(%d+) requests in")), tonumber(value) * ({ us = 1, ms = 1000, s = 1000000 })[unit]
end

local sizes = { 1024, 65536 }
os.execute(("mkdir -p %s/files"):format(work))
for _, size in ipairs(sizes) do shell.write(("%s/files/%d"):format(work, size), ("x"):rep(size)) end

local there = {}
for _, server in ipairs(servers) do
    if shell.output(server[3] .. " >/dev/null 2>&1 && echo yes") then
        there[#there + 1] = server
        for _, size in ipairs(sizes) do server[size] = { cpu = {}, late = {} } end
    else
        io.stderr:write("not here, and left out: ", server[1], "\n")
    end
end
for round = 1, ROUNDS do
    for _, server in ipairs(there) do
        local pid = start(server[2])
        for _, size in ipairs(sizes) do
            load(size, 1)
            local before = cpu(pid)
            local requests, late = load(size, SECONDS)
            table.insert(server[size].cpu, (cpu(pid) - before) / requests * 1e6)
            table.insert(server[size].late, late)
        end
        os.execute(("kill %d; while kill -0 %d 2>/dev/null; do sleep 0.05; done"):format(pid, pid))
        io.stderr:write(("round %d of %d: %s\n"):format(round, ROUNDS, server[1]))
    end
end

-- ---- what was found ----

local what = machine.describe(work)
print(("%d cores (%s), Linux %s, %s; %d rounds, the medians; the load was %.1f before."):format(what.cores, what.processor,
    what.kernel, what.system, ROUNDS, what.load_before))
for _, size in ipairs(sizes) do
    print(("\n| %d KiB | CPU us a request | luring on LuaJIT / this | p99 us |"):format(size // 1024))
    print("| --- | --- | --- | --- |")
    for _, server in ipairs(there) do
        local found = server[size]
        local ratio = stats.ratio(there[1][size].cpu, found.cpu)
        print(("| %s | %.2f | %.2f (%.2f-%.2f) | %.0f |"):format(server[1], stats.summary(found.cpu).median, ratio.median,
            ratio.low, ratio.high, stats.summary(found.late).median))
    end
end
