-- What the measurements were made on.

local shell = require "bench.lib.shell"

local machine = {}

local function first(command)
    local text = shell.output(command .. " 2>/dev/null")
    return text and text:match("^%s*(.-)%s*$")
end

-- The load average of the last minute.
function machine.load()
    return tonumber((shell.read("/proc/loadavg") or ""):match("^%S+"))
end

function machine.describe(work)
    local release = shell.read("/etc/os-release") or ""
    local luring = (shell.read("Cargo.toml") or ""):match('\nversion = "([^"]+)"')
    return {
        cores = tonumber(first("nproc")),
        processor = (shell.read("/proc/cpuinfo") or ""):match("model name%s*: ([^\n]+)") or first("uname -m"),
        kernel = first("uname -r"):match("^%d+%.%d+"),
        system = (release:match('PRETTY_NAME="([^"]+)"') or "an unnamed system"):gsub(" GNU/Linux", ""),
        lua = first("lua5.4 -v"):match("%S+ (%S+)"),
        liburing = first("pkg-config --modversion liburing"),
        filesystem = first("df --output=fstype " .. shell.quoted(work) .. " | tail -n 1"),
        luring = luring,
        load_before = machine.load(),
    }
end

return machine
