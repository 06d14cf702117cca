import GatepostModel
import Testing

/// The same bytes again and again.
private struct FixedRandom: RandomSource {
    let byte: UInt8

    func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }
}

@Suite("Identifiers")
struct IdentifierTests {
    @Test func `an identifier carries its kind, its time and chance, as a version 7 UUID`() {
        let moment = Instant(microseconds: 0x0199_ABCD_EF01 * 1000 + 999)
        let id = UserID.make(at: moment, random: FixedRandom(byte: 0xFF))

        #expect(id.uuid.high == 0x0199_ABCD_EF01_7FFF)
        #expect(id.uuid.low == 0xBFFF_FFFF_FFFF_FFFF)
        #expect(id.description.hasPrefix("usr_"))
        #expect(id.description.count == 30)
    }

    @Test(arguments: [UInt8(0), 1, 0x5A, 0xFF])
    func `the text form reads back`(byte: UInt8) {
        let id = AppID.make(at: Instant(microseconds: Int64(byte) << 40), random: FixedRandom(byte: byte))
        #expect(AppID(id.description) == id)
    }

    @Test func `the text form is that of a TypeID`() {
        // The example of the TypeID specification, version 0.3: 00000000-0000-0000-0000-000000000020.
        #expect(AppID(uuid: UUIDBits(high: 0, low: 32)).description == "app_00000000000000000000000010")
        #expect(AppID("app_7zzzzzzzzzzzzzzzzzzzzzzzzz")?.uuid == UUIDBits(high: .max, low: .max))
    }

    @Test(arguments: [
        "", "app_", "usr_00000000000000000000000010", "app_0000000000000000000000001", "app_8zzzzzzzzzzzzzzzzzzzzzzzzz",
        "app_0000000000000000000000001I", "app_0000000000000000000000001A", "APP_00000000000000000000000010",
        "app_00000000000000000000000010 ", "00000000000000000000000010",
    ])
    func `another kind, length, alphabet or size is refused`(text: String) {
        #expect(AppID(text) == nil)
    }

    @Test func `later identifiers sort behind earlier ones`() {
        let ids = (0..<5).map { FlowID.make(at: Instant(microseconds: $0 * 1000), random: SystemRandom()) }
        #expect(ids == ids.sorted())
        #expect(ids.map(\.description) == ids.map(\.description).sorted())
    }
}
