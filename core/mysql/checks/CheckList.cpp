#include "mysql/checks/CheckList.h"

namespace causeway::mysql {

std::vector<Check> allChecks(const Servers &servers, const CheckOptions &options)
{
    CheckList list(servers, options);
    addBinlogChecks(list);
    addBinlogProbe(list);
    addServerChecks(list);
    addSchemaChecks(list);
    addGrantChecks(list);
    addFenceChecks(list);
    addTargetChecks(list);
    addTranslationChecks(list);
    addAdviceChecks(list);
    addInventoryChecks(list);
    addPairChecks(list);
    addDataChecks(list);
    return list.take();
}

} // namespace causeway::mysql
