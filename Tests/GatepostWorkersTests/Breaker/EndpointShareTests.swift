@testable import GatepostWorkers
import Testing

@Suite("Endpoint's share")
struct EndpointShareTests {
    @Test(arguments: [(4, 4), (16, 4), (32, 4), (40, 5), (64, 8), (256, 32), (1000, 32)])
    func `an endpoint has an eighth of the slots, four at least and 32 at most`(slots: Int, notices: Int) {
        #expect(RouteBreaker.perEndpointMax(ofSlots: slots) == notices)
    }
}
