import GatepostOutbox
import GatepostWorkers
import Testing

@Suite("Delivery slots")
struct DeliverySlotsTests {
    @Test func `bulk mail cannot take what is kept for sign-in mails`() {
        var slots = DeliverySlots(total: 16)
        slots.take(slots.free(for: .bulk), for: .bulk)

        #expect(slots.free(for: .bulk) == 0)
        #expect(slots.free(for: .interactive) == 6)
        #expect(slots.free(for: .notice) == 2)
    }

    @Test func `a flood of sign-in mails leaves a slot for each other lane`() {
        var slots = DeliverySlots(total: 16)
        slots.take(slots.free(for: .interactive), for: .interactive)

        #expect(slots.usedCount == 13)
        #expect(slots.free(for: .notice) == 2)
        #expect(slots.free(for: .bulk) == 1)
    }

    @Test func `a slot that is given back can be taken again`() {
        var slots = DeliverySlots(total: 4)
        slots.take(slots.free(for: .interactive), for: .interactive)
        let used = slots.usedCount
        slots.free(.interactive)

        #expect(slots.usedCount == used - 1)
        #expect(slots.free(for: .interactive) == 1)
    }

    @Test(arguments: [4, 5, 7, 16, 100, 1000])
    func `all slots are used when every lane is flooded, and never more`(total: Int) {
        var slots = DeliverySlots(total: total)
        for lane in Lane.allCases.reversed() { slots.take(slots.free(for: lane), for: lane) }

        #expect(slots.usedCount == total)
        #expect(Lane.allCases.allSatisfy { slots.free(for: $0) == 0 })
    }

    @Test func `a number out of bounds is taken as the nearer bound`() {
        #expect(DeliverySlots(total: 0).total == 4)
        #expect(DeliverySlots(total: 1_000_000).total == DeliverySlots.totalMax)
    }
}
