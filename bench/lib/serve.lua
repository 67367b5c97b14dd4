-- Accepts connections on descriptor 3, gives each to `serve`, and turns the ring, for ever.
return function(luring, ring, serve)
    local function accepted(cqe, connection)
        luring.cqe_seen(ring, cqe)
        assert(connection >= 0, connection)
        serve(connection)
        luring.accept(ring, 3, 0, accepted)
    end

    luring.accept(ring, 3, 0, accepted)
    while true do
        luring.submit_and_wait(ring, 1)
        luring.do_cqes(ring)
    end
end
