-- Bytes that tell by themselves where in a stream they are: their period is a prime, and longer than
-- what is read at once.

local Dice = require "dice"

local PERIOD = 65521
local text = {}
do
    local dice = Dice.new(42)
    for i = 1, PERIOD do text[i] = string.char(dice:roll(256) - 1) end
    text = table.concat(text)
    text = text .. text
end

-- `n` bytes of the stream with this number, after the first `from`.
local function bytes(number, from, n)
    local start = (from + number * 7919) % PERIOD
    local long = start + n > #text and text:rep(math.ceil((start + n) / #text)) or text
    return long:sub(start + 1, start + n)
end

return { of = bytes, PERIOD = PERIOD }
