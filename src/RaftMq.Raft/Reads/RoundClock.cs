namespace RaftMq.Raft;

/// <summary>
/// Numbers the rounds of heartbeats of one leadership and remembers when the latest were sent: a lease counts from the sending of the
/// round that a quorum answered, not from the answers (dissertation 6.4.1).
/// </summary>
internal sealed class RoundClock
{
    /// <summary>More rounds than are ever sent within an election time.</summary>
    private const int Remembered = 64;

    private readonly long[] _sentAtTick = new long[Remembered];
    private long _tick;
    private long _firstValid = 1;

    public long Round { get; private set; }

    public void Tick() => _tick++;

    /// <summary>Ticks were not counted for a while (quiet): rounds until now prove nothing any more.</summary>
    public void VoidEarlier() => _firstValid = Round + 1;

    public long Next()
    {
        Round++;
        _sentAtTick[Round % Remembered] = _tick;
        return Round;
    }

    /// <summary>Ticks since the round was sent; a round that is forgotten, or never was, is infinitely old.</summary>
    public long AgeTicks(long round)
    {
        if (round > Round)
        {
            // Only this replica votes: what it answers itself is of now.
            return 0;
        }

        return round < _firstValid || Round - round >= Remembered ? long.MaxValue : _tick - _sentAtTick[round % Remembered];
    }
}
