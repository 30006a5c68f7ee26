using System.Globalization;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace RaftMq.Fuzz.Coverage;

/// <summary>
/// Puts a counter behind both arms of every conditional branch, every case of a switch and every method's entry, as AFL does for native code.
/// What the assembly does stays the same; it is written to memory and never to the disk.
/// </summary>
internal sealed class ProbeWriter
{
    /// <summary>Of this program, only the parser with mistakes on purpose has probes.</summary>
    private const string BaitNamespace = "RaftMq.Fuzz.Bait";

    private readonly List<string> _branches = [];
    private readonly SortedDictionary<string, SortedSet<long>> _constants = new(StringComparer.Ordinal);

    /// <summary>By the number of their counter: <see cref="BranchInfo.ToText"/>.</summary>
    public IReadOnlyList<string> Branches => _branches;

    /// <summary>The numbers that stand in a type's code, as "type|number": magic values, versions, limits, for the mutator.</summary>
    public IEnumerable<string> Constants => _constants.SelectMany(
        type => type.Value.Select(value => string.Create(CultureInfo.InvariantCulture, $"{type.Key}|{value}")));

    /// <summary>The assembly with probes, and its symbols.</summary>
    public (MemoryStream Assembly, MemoryStream Symbols) Rewrite(string path)
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(path, new ReaderParameters { ReadSymbols = true, InMemory = true });
        ModuleDefinition module = assembly.MainModule;
        FieldReference counters = Counters(module, out bool isOwn);
        foreach (TypeDefinition type in module.GetTypes().Where(type => !isOwn || type.Namespace == BaitNamespace))
        {
            foreach (MethodDefinition method in type.Methods.Where(method => method.HasBody))
            {
                Rewrite(method, counters);
            }
        }

        MemoryStream written = new();
        MemoryStream symbols = new();
        assembly.Write(written, new WriterParameters
        {
            WriteSymbols = true,
            SymbolStream = symbols,
            SymbolWriterProvider = new PortablePdbWriterProvider(),
        });
        written.Position = 0;
        symbols.Position = 0;
        return (written, symbols);
    }

    private static FieldReference Counters(ModuleDefinition module, out bool isOwn)
    {
        System.Reflection.AssemblyName own = typeof(Edges).Assembly.GetName();
        isOwn = module.Assembly.Name.Name == own.Name;
        if (isOwn)
        {
            return module.GetType(typeof(Edges).FullName).Fields.Single(field => field.Name == nameof(Edges.Counters));
        }

        AssemblyNameReference reference = new(own.Name, own.Version);
        module.AssemblyReferences.Add(reference);
        TypeReference edges = new(typeof(Edges).Namespace, nameof(Edges), module, reference);
        return new FieldReference(nameof(Edges.Counters), new ArrayType(module.TypeSystem.Byte), edges);
    }

    private void Rewrite(MethodDefinition method, FieldReference counters)
    {
        MethodBody body = method.Body;
        body.SimplifyMacros();
        Dictionary<Instruction, (string File, int Line)> places = Places(method);
        Instruction[] original = [.. body.Instructions];
        ILProcessor il = body.GetILProcessor();
        Collect(method, original);
        foreach (Instruction probe in Probe(method, places[original[0]], "entry", counters))
        {
            il.InsertBefore(original[0], probe);
        }

        foreach (Instruction branch in original.Where(instruction => instruction.OpCode.FlowControl == FlowControl.Cond_Branch))
        {
            Instruction next = branch.Next;
            List<Instruction> added = [.. Probe(method, places[branch], branch.Operand is Instruction ? "no" : "other", counters), il.Create(OpCodes.Br, next)];
            if (branch.Operand is Instruction[] cases)
            {
                Instruction[] arms = new Instruction[cases.Length];
                for (int i = 0; i < cases.Length; i++)
                {
                    arms[i] = Arm(il, added, Probe(method, places[branch], i.ToString(CultureInfo.InvariantCulture), counters), cases[i]);
                }

                branch.Operand = arms;
            }
            else
            {
                branch.Operand = Arm(il, added, Probe(method, places[branch], "yes", counters), (Instruction)branch.Operand);
            }

            added.ForEach(instruction => il.InsertBefore(next, instruction));
        }
    }

    private static Instruction Arm(ILProcessor il, List<Instruction> into, List<Instruction> probe, Instruction target)
    {
        into.AddRange(probe);
        into.Add(il.Create(OpCodes.Br, target));
        return probe[0];
    }

    private List<Instruction> Probe(MethodDefinition method, (string File, int Line) place, string arm, FieldReference counters)
    {
        int number = _branches.Count;
        _branches.Add(new BranchInfo(method.DeclaringType.FullName, method.Name, place.File, place.Line, arm).ToText());
        return
        [
            Instruction.Create(OpCodes.Ldsfld, counters),
            Instruction.Create(OpCodes.Ldc_I4, number),
            Instruction.Create(OpCodes.Ldelema, method.Module.TypeSystem.Byte),
            Instruction.Create(OpCodes.Dup),
            Instruction.Create(OpCodes.Ldind_U1),
            Instruction.Create(OpCodes.Ldc_I4_1),
            Instruction.Create(OpCodes.Add),
            Instruction.Create(OpCodes.Conv_U1),
            Instruction.Create(OpCodes.Stind_I1),
        ];
    }

    /// <summary>The source line of each instruction: that of the last sequence point at or before it.</summary>
    private static Dictionary<Instruction, (string File, int Line)> Places(MethodDefinition method)
    {
        Dictionary<int, SequencePoint> points = [];
        foreach (SequencePoint point in method.DebugInformation.SequencePoints)
        {
            points[point.Offset] = point;
        }

        Dictionary<Instruction, (string File, int Line)> places = [];
        (string File, int Line) place = ("", 0);
        foreach (Instruction instruction in method.Body.Instructions)
        {
            if (points.TryGetValue(instruction.Offset, out SequencePoint? point) && !point.IsHidden)
            {
                place = (Path.GetFileName(point.Document.Url), point.StartLine);
            }

            places.Add(instruction, place);
        }

        return places;
    }

    private void Collect(MethodDefinition method, Instruction[] instructions)
    {
        foreach (Instruction instruction in instructions)
        {
            long? value = instruction.Operand switch
            {
                int number when instruction.OpCode == OpCodes.Ldc_I4 => number,
                long number => number,
                _ => null,
            };
            if (value is { } found)
            {
                if (!_constants.TryGetValue(method.DeclaringType.FullName, out SortedSet<long>? set))
                {
                    _constants.Add(method.DeclaringType.FullName, set = []);
                }

                set.Add(found);
            }
        }
    }
}
