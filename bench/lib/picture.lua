-- The results as a picture: CPU time beside luring's, which is the line at 1.

local report = require "bench.lib.report"

local picture = {}

local WIDTH, LEFT, RIGHT, ROW, TOP = 900, 150, 30, 24, 78
local LEAST, MOST = 0.1, 20
local TICKS = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 20 }

-- Told apart by their shapes too.
local LOOKS = {
    other = { "#d55e00", "circle" }, luring_defer = { "#e69f00", "diamond" }, raw = { "#000000", "square" },
    raw_best = { "#777777", "square" }, luv = { "#0072b2", "circle" }, luv_blocking = { "#56b4e9", "diamond" },
    luaposix = { "#009e73", "triangle" }, cqueues = { "#cc79a7", "triangle" },
}

local function place(ratio)
    local within = math.max(LEAST, math.min(MOST, ratio))
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log(within / LEAST) / math.log(MOST / LEAST)
end

local function escaped(text)
    return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local function mark(look, x, y)
    local colour, shape = look[1], look[2]
    if shape == "circle" then
        return ('<circle cx="%.1f" cy="%.1f" r="5" fill="%s"/>'):format(x, y, colour)
    elseif shape == "square" then
        return ('<rect x="%.1f" y="%.1f" width="9" height="9" fill="%s"/>'):format(x - 4.5, y - 4.5, colour)
    end
    local points = shape == "diamond" and { 0, -6, 6, 0, 0, 6, -6, 0 } or { 0, -6, 6, 5, -6, 5 }
    local corners = {}
    for i = 1, #points, 2 do
        table.insert(corners, ("%.1f,%.1f"):format(x + points[i], y + points[i + 1]))
    end
    return ('<polygon points="%s" fill="%s"/>'):format(table.concat(corners, " "), colour)
end

local PANELS = {
    { "File reads: size, in flight", function(cell) return cell.action == "read" end },
    { "File writes: size, in flight", function(cell) return cell.action == "write" end },
    { "TCP echo server: size, connections", function(cell) return cell.kind == "echo" end },
}

function picture.svg(results)
    local out = {}
    local function add(format, ...)
        table.insert(out, select("#", ...) > 0 and format:format(...) or format)
    end

    -- Those that have something to show.
    local shown = {}
    for _, peer in ipairs(results.peers) do
        for _, cell in ipairs(results.cells) do
            local drawn = cell.kind == "files" or cell.kind == "echo"
            if LOOKS[peer.id] and drawn and cell.samples[peer.id] and not shown[peer.id] then
                shown[peer.id] = true
                table.insert(shown, peer)
            end
        end
    end

    local x, y = LEFT, TOP - 20
    local legend = {}
    for _, peer in ipairs(shown) do
        local width = 24 + #peer.title * 7.4
        if x + width > WIDTH - RIGHT then
            x, y = LEFT, y + 20
        end
        table.insert(legend, mark(LOOKS[peer.id], x + 6, y - 4))
        table.insert(legend, ('<text x="%.1f" y="%.1f">%s</text>'):format(x + 16, y, escaped(peer.title)))
        x = x + width
    end
    y = y + 18

    for _, panel in ipairs(PANELS) do
        local cells = {}
        for _, cell in ipairs(results.cells) do
            if panel[2](cell) and cell.samples.luring then
                table.insert(cells, cell)
            end
        end
        if #cells > 0 then
            add('<text x="%d" y="%.1f" class="head">%s</text>', 16, y + 14, escaped(panel[1]))
            y = y + 24
            local bottom = y + #cells * ROW
            for _, tick in ipairs(TICKS) do
                add('<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" class="%s"/>', place(tick), place(tick), y, bottom,
                    tick == 1 and "luring" or "grid")
                add('<text x="%.1f" y="%.1f" class="tick">%s</text>', place(tick), bottom + 15,
                    tick == 1 and "luring" or "x" .. tick)
            end
            for i, cell in ipairs(cells) do
                local middle = y + (i - 0.5) * ROW
                add('<text x="%d" y="%.1f" class="row">%s</text>', LEFT - 12, middle + 4, escaped(cell.label))
                for _, peer in ipairs(shown) do
                    local ratio = report.ratio(cell, "cpu", "luring", peer.id)
                    if ratio then
                        add('<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="2" opacity="0.6"/>',
                            place(ratio.low), place(ratio.high), middle, middle, LOOKS[peer.id][1])
                        add("%s", mark(LOOKS[peer.id], place(ratio.median), middle))
                    end
                end
            end
            y = bottom + 30
        end
    end

    local m = results.machine
    add('<text x="16" y="%.1f" class="note">%s</text>', y + 6, escaped((
        "%d cores, Linux %s, %s, Lua %s, liburing %s. Medians of the rounds, with the quartiles as lines."
    ):format(m.cores, m.kernel, m.system, m.lua, m.liburing)))
    local height = y + 20
    return ([[
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="13" fill="#1a1a1a">
<title>CPU time beside luring's</title>
<style>.head{font-weight:bold}.row{text-anchor:end}.tick{text-anchor:middle;font-size:11px;fill:#555}.note{font-size:11px;fill:#555}.grid{stroke:#ddd}.luring{stroke:#1a1a1a;stroke-width:2}</style>
<rect width="100%%" height="100%%" rx="8" fill="#ffffff"/>
<text x="16" y="26" font-size="16" font-weight="bold">CPU time of one action, beside luring's (the line; left of it is less, right of it is more)</text>
]]):format(WIDTH, height, WIDTH, height) .. table.concat(legend, "\n") .. "\n" .. table.concat(out, "\n") .. "\n</svg>\n"
end

return picture
