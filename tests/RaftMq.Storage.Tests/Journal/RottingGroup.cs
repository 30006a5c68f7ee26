using RaftMq.Raft;
using RaftMq.Storage.Journal;

namespace RaftMq.Storage.Tests.Journal;

/// <summary>One group of a <see cref="RottingLife"/>: what it has said to the journal, and what it was told that it lost.</summary>
internal sealed class RottingGroup(GroupId id)
{
    private const int PayloadBytes = 900;

    private long? _wish;
    private int _term = 1;

    /// <summary>Of entries as they were last written: what is committed comes back as it was.</summary>
    private readonly Dictionary<long, int> _terms = [];
    private long _committed;

    public GroupId Id { get; } = id;

    public GroupModel Model { get; private set; } = new();

    public JournalDamage? Damage { get; private set; }

    /// <summary>Something of it went to segments, or came in a snapshot.</summary>
    public bool HadFiles { get; private set; }

    public bool IsUnknown => Damage is { StateLost: true };

    public bool CanTruncate => Model.LastIndex > Kept;

    private long Kept => Math.Max(_committed, Model.SegmentsDurable);

    private LogPosition End => new(new Term(Model.LastTerm), new LogIndex(Model.LastIndex));

    public void ReleaseWanted(long upTo) => _wish = upTo;

    public long? TakeWish()
    {
        long? wish = _wish;
        _wish = null;
        return wish;
    }

    public JournalRecord Vote(int vote) => Said(new JournalRecord { Group = Id, HardState = Records.Hard(++_term, vote) });

    public JournalRecord Append(int count, bool commits)
    {
        long first = Model.LastIndex + 1;
        return Said(new JournalRecord
        {
            Group = Id,
            Entries = [.. Enumerable.Range(0, count).Select(at => Entry(first + at))],
            Commit = new LogIndex(commits ? first : 0),
        });
    }

    public JournalRecord Truncate(RandomSource random)
    {
        long first = Kept + 1 + random.NextInt64(Model.LastIndex - Kept);
        _term++;
        return Said(new JournalRecord
        {
            Group = Id,
            HardState = Records.Hard(_term),
            Entries = Records.Entries(Id, first, first + random.Next(3), _term, PayloadBytes),
        });
    }

    public JournalRecord Release(long upTo)
    {
        upTo = Math.Min(upTo, Model.LastIndex);
        return Said(new JournalRecord { Group = Id, Commit = new LogIndex(upTo), SegmentsDurable = new LogIndex(upTo) });
    }

    public JournalRecord Install(int ahead) =>
        Said(new JournalRecord { Group = Id, Reset = (new LogIndex(Model.LastIndex + ahead), new Term(_term)) });

    public JournalRecord Heal()
    {
        Damage = null;
        return new JournalRecord { Group = Id, Healed = true };
    }

    public JournalRecord GiveUp()
    {
        LogPosition end = End;
        bool isKnown = end.Term > Term.Zero && Damage is null or { Held: not null };
        LogPosition held = Damage?.Held is { } before && before.IsAtLeast(end) ? before : end;
        Model.CutLog(Model.SegmentsDurable + 1);
        Damage = new JournalDamage(isKnown ? held : null, Damage?.HardStateLost ?? false, StateLost: false, KeptBelowFile: 0);
        return new JournalRecord { Group = Id, GivenUp = true };
    }

    /// <summary>Compares with what a start told. True when it lost something that the start before had.</summary>
    public bool Restarted(GroupModel back, JournalDamage? told)
    {
        if (IsUnknown)
        {
            // Where the record of that is lost too, an older file may tell more again; but never that all is well.
            Assert.True(told is { StateLost: true } or { Held: null, HardStateLost: true }, $"{Id} was lost, and now it is {back}");
            Model = back;
            Damage = told;
            return false;
        }

        if (told is { StateLost: true })
        {
            Damage = told;
            return true;
        }

        Assert.True(back.LastIndex >= back.SegmentsDurable, $"{Id}: {back}, and it was {Model}; {told}");
        bool isSame = back.ToString() == Model.ToString();
        if (told is not { } damage)
        {
            Assert.True(Damage is null, $"{Id}: nobody knows of {Damage} any more");
            Assert.True(isSame, $"{Id} lost something in silence: {back}, and it was {Model}");
            return false;
        }

        // Where the record of a cut is lost, what it cut may be back, as far as it was committed.
        back.RequireBeginningOf(Model, (index, term) => index <= _committed && _terms[index] == term);
        Assert.True(damage.HardStateLost || back.HardState == Model.HardState, $"{Id}: {back.HardState}, and it was {Model.HardState}");
        Assert.True(damage.HardStateLost || Damage is not { HardStateLost: true }, $"{Id}: {damage}, and it was {Damage}; {back} {Model}");
        Assert.True(damage.KeptBelowFile > 0);
        LogPosition end = End;
        Assert.True(
            damage.Held is not { } held
            || ((Damage?.Held is not { } before || held.IsAtLeast(before)) && (isSame || end.Term == Term.Zero || held.IsAtLeast(end))),
            $"{Id}: told to have held {damage.Held}, and the log ended at {end}; {Damage}");
        bool isNew = !isSame || Damage is null || damage.HardStateLost != Damage.Value.HardStateLost;
        Damage = damage;
        back.LastTerm = back.LastTerm == 0 && isSame ? Model.LastTerm : back.LastTerm;
        Model = back;
        return isNew;
    }

    private Entry Entry(long index) =>
        Records.Entry(Id, index, index <= _committed && _terms.TryGetValue(index, out int term) ? term : _term, PayloadBytes);

    private JournalRecord Said(JournalRecord record)
    {
        foreach (Entry entry in record.Entries)
        {
            _terms[entry.Index.Value] = entry.Term.Value;
        }

        HadFiles |= record.SegmentsDurable > LogIndex.Zero || record.Reset is not null;
        _committed = Math.Max(_committed, Math.Max(record.Commit.Value, record.Reset?.Index.Value ?? 0));
        Model.Apply(record);
        return record;
    }
}
