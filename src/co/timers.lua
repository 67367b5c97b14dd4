-- Deadlines: a heap, the earliest first. An entry is a table that has `at`, when it is due, and a
-- method `due`; its place in the heap is `at_place`, nil or false when it is not there.

local timers = {}

local Heap = {}
Heap.__index = Heap

function timers.new()
    return setmetatable({ n = 0 }, Heap)
end

-- Puts an entry where it belongs, upwards of a place that is free.
local function rise(heap, entry, place)
    local at = entry.at
    while place > 1 do
        local above = (place - place % 2) / 2
        local other = heap[above]
        if other.at <= at then break end
        heap[place] = other
        other.at_place = place
        place = above
    end
    heap[place] = entry
    entry.at_place = place
end

-- The same, downwards.
local function sink(heap, entry, place)
    local at, n = entry.at, heap.n
    while true do
        local below = place * 2
        if below > n then break end
        local other = heap[below]
        if below < n and heap[below + 1].at < other.at then
            below = below + 1
            other = heap[below]
        end
        if other.at >= at then break end
        heap[place] = other
        other.at_place = place
        place = below
    end
    heap[place] = entry
    entry.at_place = place
end

function Heap:add(entry, at)
    -- What takes memory comes first: without it the entry is not there.
    local n = self.n + 1
    entry.at, entry.at_place = at, false
    self[n] = entry
    self.n = n
    rise(self, entry, n)
end

-- Takes an entry out; one that is not there is left alone.
function Heap:remove(entry)
    local place = entry.at_place
    if not place then return end
    entry.at_place = nil
    local last = self[self.n]
    self[self.n] = nil
    self.n = self.n - 1
    if last == entry then return end
    if place > 1 and self[(place - place % 2) / 2].at > last.at then
        rise(self, last, place)
    else
        sink(self, last, place)
    end
end

return timers
