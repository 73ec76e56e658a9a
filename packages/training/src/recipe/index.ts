export { listRecipes, loadRecipe, type NamedRecipe } from './load.ts';
export { parseRecipe } from './parse.ts';
export { changeRecipe, fractionOf, type RecipeChanges } from './resolve.ts';
export {
  recipeSchema,
  type Recipe,
  type RecipeAugmentation,
  type RecipeData,
  type RecipeStage,
} from './schema.ts';
