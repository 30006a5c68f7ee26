namespace RaftMq.Broker.Space;

/// <summary>From what is free to a level, with hysteresis: each level is left only an eighth of its mark above it.</summary>
internal sealed class RoomGauge(SpaceLimits limits)
{
    private const int HysteresisPart = 8;

    public RoomLevel Level { get; private set; }

    public void Look(long freeBytes)
    {
        bool isShort = IsBelow(freeBytes, limits.FreeBytesMin, Level == RoomLevel.Short);
        bool isLow = IsBelow(freeBytes, limits.FreeBytesLow, Level != RoomLevel.Enough);
        Level = isShort ? RoomLevel.Short : isLow ? RoomLevel.Low : RoomLevel.Enough;
    }

    private static bool IsBelow(long freeBytes, long mark, bool wasBelow) =>
        freeBytes < mark || (wasBelow && mark > 0 && freeBytes - mark < mark / HysteresisPart)
        || (PlantedBug.RoomAgainNotNoticed && wasBelow);
}
