using RaftMq.Broker.Encoding;

namespace RaftMq.Broker.Controller;

/// <param name="TopicId">
/// Zero: the answer tells of no topic. The topic itself, which may be long, is told as it is by then, or not at all if it is gone.
/// </param>
internal sealed record RememberedAnswer(AdminOutcome Outcome, string? Message, long Number, UInt128 TopicId)
{
    public void Write(ByteWriter writer)
    {
        writer.Byte((byte)Outcome);
        writer.OptionalText(Message);
        writer.Int64(Number);
        writer.UInt128(TopicId);
    }

    public static RememberedAnswer Read(ref ByteReader reader) =>
        new(ReadOutcome(ref reader), reader.OptionalText(), reader.Int64(), reader.UInt128());

    public static AdminOutcome ReadOutcome(ref ByteReader reader)
    {
        var outcome = (AdminOutcome)reader.Byte();
        if (!Enum.IsDefined(outcome))
        {
            reader.Fail();
        }

        return outcome;
    }
}
